# A CVM on a node that could host a cached one: shiftfs is usable there, and there is no GPU. As a Coder template. The cache
# itself is a feature of Coder v1, which creates its own pods. Envbox has no such mode and keeps its images on the workspace's
# disk. The namespace must allow privileged pods and hostPath volumes. The provider "kubernetes" uses the cluster it runs in, or
# KUBE_CONFIG_PATH.
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
  description = "The workspace's home, its image and its Docker's images, on a block device (NFS does not work), in GB"
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
    affinity {
      node_affinity {
        required_during_scheduling_ignored_during_execution {
          node_selector_term {
            match_expressions {
              key      = "kubernetes.io/arch"
              operator = "In"
              values   = ["amd64"]
            }
            match_expressions {
              key      = "berth.dev/cached-cvm"
              operator = "In"
              values   = ["true"]
            }
            # A cached CVM cannot request a GPU, so it leaves these nodes to workspaces that can.
            match_expressions {
              key      = "berth.dev/gpu"
              operator = "NotIn"
              values   = ["true"]
            }
          }
        }
      }
    }

    restart_policy = "Never"

    container {
      name    = "dev"
      image   = "ghcr.io/coder/envbox:0.6.7"
      command = ["/envbox", "docker"]
      # Only the outer container is privileged. The workspace inside runs under Sysbox, without privileges on the node.
      security_context {
        privileged = true
      }
      env {
        name  = "CODER_AGENT_TOKEN"
        value = coder_agent.main.token
      }
      env {
        name  = "CODER_AGENT_URL"
        value = data.coder_workspace.me.access_url
      }
      env {
        name  = "CODER_BOOTSTRAP_SCRIPT"
        value = coder_agent.main.init_script
      }
      env {
        name  = "CODER_INNER_IMAGE"
        value = "index.docker.io/codercom/enterprise-base:ubuntu"
      }
      # Only for a private image: kubectl create secret docker-registry workspace-registry --docker-server=…
      # --docker-username=… --docker-password=…. Envbox reads user and password from it; "auth" alone does not work.
      # Envbox never uses the node's own credentials.
      env {
        name = "CODER_IMAGE_PULL_SECRET"
        value_from {
          secret_key_ref {
            name     = "workspace-registry"
            key      = ".dockerconfigjson"
            optional = true
          }
        }
      }
      env {
        name  = "CODER_INNER_USERNAME"
        value = "coder"
      }
      env {
        name  = "CODER_INNER_HOSTNAME"
        value = data.coder_workspace.me.name
      }
      env {
        name  = "CODER_MOUNTS"
        value = "/home/coder:/home/coder"
      }
      env {
        name = "CODER_CPUS"
        value_from {
          resource_field_ref {
            resource = "limits.cpu"
          }
        }
      }
      env {
        name = "CODER_MEMORY"
        value_from {
          resource_field_ref {
            resource = "limits.memory"
          }
        }
      }
      resources {
        requests = {
          cpu    = "1"
          memory = "3Gi"
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
      # The workspace's /var/lib/docker and /var/lib/containers.
      volume_mount {
        name       = "disk"
        mount_path = "/var/lib/coder/docker"
        sub_path   = "cache/docker"
      }
      volume_mount {
        name       = "disk"
        mount_path = "/var/lib/coder/containers"
        sub_path   = "cache/containers"
      }
      # Envbox's own directories, with the workspace's image.
      volume_mount {
        name       = "disk"
        mount_path = "/var/lib/docker"
        sub_path   = "envbox/docker"
      }
      volume_mount {
        name       = "disk"
        mount_path = "/var/lib/containers"
        sub_path   = "envbox/containers"
      }
      volume_mount {
        name       = "sysbox"
        mount_path = "/var/lib/sysbox"
      }
      volume_mount {
        name       = "usr-src"
        mount_path = "/usr/src"
        read_only  = true
      }
      volume_mount {
        name       = "lib-modules"
        mount_path = "/lib/modules"
        read_only  = true
      }
    }

    volume {
      name = "disk"
      persistent_volume_claim {
        claim_name = kubernetes_persistent_volume_claim_v1.disk.metadata[0].name
      }
    }
    # On the node's disk, because Sysbox refuses tmpfs.
    volume {
      name = "sysbox"
      empty_dir {}
    }
    volume {
      name = "usr-src"
      host_path {
        path = "/usr/src"
      }
    }
    volume {
      name = "lib-modules"
      host_path {
        path = "/lib/modules"
      }
    }
  }

  # Time until the pod runs, including the start of a new node.
  timeouts {
    create = "20m"
  }
}
