# Rootless Podman, as a Coder template. It needs no privileges and no special runtime. It needs user namespaces and a FUSE device,
# which a device plugin offers under the name in `limits`; berth.dev/fuse comes from components/devices. The namespace must allow
# unconfined seccomp and AppArmor profiles (Pod Security level privileged).
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
  description = "The workspace's home and Podman's images, in GB"
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
    annotations = {
      # containerd's AppArmor profile forbids mounts in a user namespace. The API server turns this into the field
      # appArmorProfile.
      "container.apparmor.security.beta.kubernetes.io/dev" = "unconfined"
    }
  }

  spec {
    node_selector = {
      "kubernetes.io/arch" = "amd64"
      "berth.dev/podman"   = "true"
    }

    security_context {
      run_as_user = "1000"
      fs_group    = "1000"
      # Changes the group of the disk's files only once, not at each start.
      fs_group_change_policy = "OnRootMismatch"
    }

    container {
      name    = "dev"
      image   = "ghcr.io/coder/podman:ubuntu"
      command = ["/bin/bash", "-c", coder_agent.main.init_script]
      security_context {
        # newuidmap has file capabilities.
        allow_privilege_escalation = true
        # containerd's profile forbids creating a user namespace.
        seccomp_profile {
          type = "Unconfined"
        }
      }
      env {
        name  = "CODER_AGENT_TOKEN"
        value = coder_agent.main.token
      }
      resources {
        requests = {
          cpu    = "250m"
          memory = "2Gi"
        }
        limits = {
          cpu               = "4"
          memory            = "8Gi"
          "berth.dev/fuse" = "1"
        }
      }
      volume_mount {
        name       = "disk"
        mount_path = "/home/podman"
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
