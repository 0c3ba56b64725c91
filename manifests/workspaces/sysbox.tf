# A workspace with Docker inside as a Coder template: unprivileged, on a node where Sysbox is installed.
# The provider "kubernetes" finds its cluster from within it, or by KUBE_CONFIG_PATH.
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
  description = "The workspace's home and its Docker's images, in GB"
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
  os             = "linux"
  arch           = "amd64"
  startup_script = <<-EOT
    #!/bin/sh
    sudo service docker start
  EOT
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

  # What the API server may add to; the RuntimeClass of Sysbox's installer has a node selector of its own.
  computed_fields = ["metadata.annotations", "metadata.labels", "spec.nodeSelector"]

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
        "berth.dev/sysbox"   = "true"
      }
      # Of Sysbox's installer, or of the example pod.
      runtimeClassName = "sysbox-runc"
      # The user namespace that Sysbox lives in: containerd 2.0.5 or newer, or CRI-O, with Sysbox 0.7 and Kubernetes 1.33. On
      # CRI-O with older ones leave it out, and annotate the pod instead: "io.kubernetes.cri-o.userns-mode" = "auto:size=65536"
      hostUsers = false
      # Its volume would be one more than this resource knows of, which is an error to it (#2326 there).
      automountServiceAccountToken = false
      securityContext = {
        # And no fsGroup: it would hand Docker's images to that group, file by file.
        runAsUser = 1000
      }
      containers = [{
        name    = "dev"
        image   = "codercom/enterprise-base:ubuntu"
        command = ["sh", "-c", "sudo chown coder:coder /home/coder\n${coder_agent.main.init_script}"]
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
        volumeMounts = [
          {
            name      = "disk"
            mountPath = "/home/coder"
            subPath   = "home"
          },
          {
            name      = "disk"
            mountPath = "/var/lib/docker"
            subPath   = "docker"
          }
        ]
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
