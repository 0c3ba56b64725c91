# Docker in a privileged container beside the workspace, as a Coder template for a host with Docker, without Kubernetes.
# INSECURE: anyone who can use this Docker is root on the host. If you can install Sysbox, use docker-sysbox.tf instead.
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
  os   = "linux"
  arch = data.coder_provisioner.me.arch
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

# Anyone who reaches this Docker can use it, so nobody else is in its network.
resource "docker_network" "private" {
  name = "coder-${data.coder_workspace.me.id}"
}

resource "docker_container" "docker" {
  count      = data.coder_workspace.me.start_count
  name       = "${local.name}-docker"
  image      = "docker:dind"
  privileged = true
  # Started by the image's own entrypoint, which prepares cgroups for containers inside. No TLS: only the workspace uses this
  # network.
  command = ["dockerd", "-H", "tcp://0.0.0.0:2375", "--tls=false"]

  networks_advanced {
    name    = docker_network.private.name
    aliases = ["docker"]
  }
  volumes {
    container_path = "/var/lib/docker"
    volume_name    = docker_volume.docker.name
  }
  # `docker run -v` can then find the workspace's files.
  volumes {
    container_path = "/home/coder"
    volume_name    = docker_volume.home.name
  }
}

resource "docker_container" "workspace" {
  count    = data.coder_workspace.me.start_count
  name     = local.name
  hostname = lower(data.coder_workspace.me.name)
  image    = "codercom/enterprise-base:ubuntu"
  command  = ["sh", "-c", "sudo chown coder:coder /home/coder\n${coder_agent.main.init_script}"]
  env = [
    "CODER_AGENT_TOKEN=${coder_agent.main.token}",
    "DOCKER_HOST=tcp://docker:2375"
  ]

  networks_advanced {
    name = docker_network.private.name
  }
  volumes {
    container_path = "/home/coder"
    volume_name    = docker_volume.home.name
  }
}
