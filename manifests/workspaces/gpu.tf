# An ordinary workspace with an NVIDIA GPU, as a Coder template. If containerd's default runtime is not NVIDIA's, add
# runtime_class_name = "nvidia". If GPUs are split (MIG, mixed strategy), request nvidia.com/mig-<profile> instead of
# nvidia.com/gpu.
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
  description = "Home, data sets and models, in GB"
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
      "berth.dev/gpu"      = "true"
    }

    # The usual taint of GPU nodes; GKE sets it.
    toleration {
      key      = "nvidia.com/gpu"
      operator = "Exists"
      effect   = "NoSchedule"
    }

    security_context {
      run_as_user = "1000"
      fs_group    = "1000"
      # Changes the group of the disk's files only once, not at each start.
      fs_group_change_policy = "OnRootMismatch"
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
          cpu              = "4"
          memory           = "8Gi"
          "nvidia.com/gpu" = "1"
        }
      }
      volume_mount {
        name       = "disk"
        mount_path = "/home/coder"
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
