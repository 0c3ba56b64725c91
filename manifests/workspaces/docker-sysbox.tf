# A workspace with Docker inside, unprivileged, with the Sysbox runtime. As a Coder template for a host with Docker, without
# Kubernetes. Install Sysbox on the host first. `berth report` on the host shows in the fact "docker" whether Docker knows the
# runtime.
# The provider "docker" uses the socket of the host where Coder's provisioner runs, or DOCKER_HOST.
terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
    docker = {
      source  = "kreuzwerker/docker"
      version = ">= 3.0.0"
    }
  }
}

data "coder_provisioner" "me" {}

data "coder_workspace" "me" {}

data "coder_workspace_owner" "me" {}

locals {
  # Docker allows only lowercase letters in names.
  name = "coder-${lower(data.coder_workspace_owner.me.name)}-${lower(data.coder_workspace.me.name)}"
}

resource "coder_agent" "main" {
  os             = "linux"
  arch           = data.coder_provisioner.me.arch
  startup_script = <<-EOT
    #!/bin/sh
    sudo service docker start
  EOT
}

# Volumes are named after the workspace's id, which does not change when the workspace is renamed. They survive every stop.
resource "docker_volume" "home" {
  name = "coder-${data.coder_workspace.me.id}-home"
  lifecycle {
    ignore_changes = all
  }
}

resource "docker_volume" "docker" {
  name = "coder-${data.coder_workspace.me.id}-docker"
  lifecycle {
    ignore_changes = all
  }
}

resource "docker_container" "workspace" {
  count    = data.coder_workspace.me.start_count
  name     = local.name
  hostname = lower(data.coder_workspace.me.name)
  image    = "codercom/enterprise-base:ubuntu"
  command  = ["sh", "-c", "sudo chown coder:coder /home/coder\n${coder_agent.main.init_script}"]
  env      = ["CODER_AGENT_TOKEN=${coder_agent.main.token}"]

  # With Docker's default runtime, the Docker inside would not start.
  runtime = "sysbox-runc"

  volumes {
    container_path = "/home/coder"
    volume_name    = docker_volume.home.name
  }
  # Images of the Docker inside. Only one container at a time can use this volume.
  volumes {
    container_path = "/var/lib/docker"
    volume_name    = docker_volume.docker.name
  }
}
