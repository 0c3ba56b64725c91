# Docker in a privileged container beside the workspace, as a Coder template. INSECURE: anyone who can use this Docker is root on
# the node. Nodes have the label only if you told berth that this is allowed (--privileged-workspaces, --workspace-namespace).
# The provider "kubernetes" uses the cluster it runs in, or KUBE_CONFIG_PATH.
terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = ">= 2.16.0"
    }
  }
}

variable "namespace" {
  type        = string
  description = "Namespace of the workspaces; it must exist"
}

data "coder_workspace" "me" {}

data "coder_workspace_owner" "me" {}

data "coder_parameter" "disk" {
  name        = "disk"
  type        = "number"
  description = "The workspace's home and Docker's images, in GB"
  default     = 50
  mutable     = true
  validation {
    min       = 50
    max       = 100
    monotonic = "increasing"
  }
}

locals {
  name = "coder-${lower(data.coder_workspace_owner.me.name)}-${lower(data.coder_workspace.me.name)}"
}

resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}

resource "kubernetes_persistent_volume_claim_v1" "disk" {
  metadata {
    name      = local.name
    namespace = var.namespace
  }
  wait_until_bound = false
  spec {
    access_modes = ["ReadWriteOnce"]
    resources {
      requests = {
        storage = "${data.coder_parameter.disk.value}G"
      }
    }
  }
}

resource "kubernetes_pod_v1" "workspace" {
  count = data.coder_workspace.me.start_count

  metadata {
    name      = local.name
    namespace = var.namespace
  }

  spec {
    node_selector = {
      "kubernetes.io/arch" = "amd64"
      "berth.dev/privileged" = "true"
    }

    container {
      name    = "docker"
      image   = "docker:dind"
      command = ["dockerd", "-H", "tcp://127.0.0.1:2375"]
      security_context {
        privileged  = true
        run_as_user = "0"
      }
      resources {
        requests = {
          cpu    = "250m"
          memory = "1Gi"
        }
        limits = {
          cpu    = "4"
          memory = "8Gi"
        }
      }
      volume_mount {
        name       = "disk"
        mount_path = "/var/lib/docker"
        sub_path   = "docker"
      }
      # `docker run -v` can then find the workspace's files.
      volume_mount {
        name       = "disk"
        mount_path = "/home/coder"
        sub_path   = "home"
      }
    }

    container {
      name    = "dev"
      image   = "codercom/enterprise-base:ubuntu"
      command = ["sh", "-c", "sudo chown coder:coder /home/coder\n${coder_agent.main.init_script}"]
      security_context {
        run_as_user = "1000"
      }
      env {
        name  = "CODER_AGENT_TOKEN"
        value = coder_agent.main.token
      }
      env {
        name  = "DOCKER_HOST"
        value = "tcp://127.0.0.1:2375"
      }
      resources {
        requests = {
          cpu    = "1"
          memory = "2Gi"
        }
        limits = {
          cpu    = "4"
          memory = "8Gi"
        }
      }
      volume_mount {
        name       = "disk"
        mount_path = "/home/coder"
        sub_path   = "home"
      }
    }

    volume {
      name = "disk"
      persistent_volume_claim {
        claim_name = kubernetes_persistent_volume_claim_v1.disk.metadata[0].name
      }
    }
  }

  # Time until the pod runs, including the start of a new node.
  timeouts {
    create = "20m"
  }
}
