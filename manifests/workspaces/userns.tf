# An ordinary pod in a user namespace of its own as a Coder template: root in the workspace is an ordinary user of the node. It
# needs Kubernetes 1.33, kernel 6.3, and containerd 2.0 or CRI-O, or newer ones. The file systems of its volumes must allow
# ID-mapped mounts: not NFS. The provider "kubernetes" finds its cluster from within it, or by KUBE_CONFIG_PATH.
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
  description = "The workspace's home, in GB"
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

# kubernetes_manifest, because kubernetes_pod_v1 may have no hostUsers (hashicorp/terraform-provider-kubernetes#2818).
resource "kubernetes_manifest" "workspace" {
  count = data.coder_workspace.me.start_count

  # What the API server may add to.
  computed_fields = ["metadata.annotations", "metadata.labels"]

  manifest = {
    apiVersion = "v1"
    kind       = "Pod"
    metadata = {
      name      = local.name
      namespace = var.namespace
    }
    spec = {
      nodeSelector = {
        "kubernetes.io/arch" = "amd64"
        "berth.dev/userns"   = "true"
      }
      hostUsers = false
      # Its volume would be one more than this resource knows of, which is an error to it (#2326 there).
      automountServiceAccountToken = false
      securityContext = {
        runAsUser = 1000
        fsGroup   = 1000
        # The home is handed over once, and not at each start.
        fsGroupChangePolicy = "OnRootMismatch"
      }
      containers = [{
        name    = "dev"
        image   = "codercom/enterprise-base:ubuntu"
        command = ["sh", "-c", coder_agent.main.init_script]
        env = [{
          name  = "CODER_AGENT_TOKEN"
          value = coder_agent.main.token
        }]
        resources = {
          requests = {
            cpu    = "1"
            memory = "2Gi"
          }
          limits = {
            cpu    = "4"
            memory = "8Gi"
          }
        }
        volumeMounts = [{
          name      = "disk"
          mountPath = "/home/coder"
        }]
      }]
      volumes = [{
        name = "disk"
        persistentVolumeClaim = {
          claimName = kubernetes_persistent_volume_claim_v1.disk.metadata[0].name
        }
      }]
    }
  }
}
