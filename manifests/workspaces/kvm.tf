# A workspace that starts microVMs, as a Coder template: Firecracker, QEMU or the Android emulator, which your own image brings.
# The pod has no privilege. It gets /dev/kvm from a device plugin, under the name below limits: here that of components/devices
# with BERTH_OFFER=fuse,kvm. Kata Containers opens the device outside of the pod: on nodes with Kata alone, set
# runtime_class_name, and remove the device below limits. The provider "kubernetes" finds its cluster from within it, or by
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
  description = "Where workspaces are made; it must be there already"
}

data "coder_workspace" "me" {}

data "coder_workspace_owner" "me" {}

data "coder_parameter" "disk" {
  name        = "disk"
  type        = "number"
  description = "The workspace's home, with the disks of its microVMs, in GB"
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
      "berth.dev/kvm"      = "true"
    }

    security_context {
      # The device has the node's mode, usually 0660: root can open it, another user needs its group in supplemental_groups.
      run_as_user = "0"
    }

    container {
      name    = "dev"
      image   = "codercom/enterprise-base:ubuntu"
      command = ["sh", "-c", coder_agent.main.init_script]
      env {
        name  = "CODER_AGENT_TOKEN"
        value = coder_agent.main.token
      }
      resources {
        requests = {
          cpu    = "1"
          memory = "2Gi"
        }
        limits = {
          cpu = "4"
          # The memory of the microVMs counts too.
          memory          = "8Gi"
          "berth.dev/kvm" = "1"
        }
      }
      volume_mount {
        name       = "disk"
        mount_path = "/root"
      }
    }

    volume {
      name = "disk"
      persistent_volume_claim {
        claim_name = kubernetes_persistent_volume_claim_v1.disk.metadata[0].name
      }
    }
  }

  # Until the pod runs; also where a node must be started for it first.
  timeouts {
    create = "20m"
  }
}
