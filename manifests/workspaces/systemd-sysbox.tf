# A workspace with systemd as its first process, as a Coder template. The pod is unprivileged and runs on a node where Sysbox is
# installed. Its image must have systemd as /sbin/init. The provider "kubernetes" uses the cluster it runs in, or
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

# kubernetes_manifest, because kubernetes_pod_v1 has no hostUsers (hashicorp/terraform-provider-kubernetes#2818).
resource "kubernetes_manifest" "workspace" {
  count = data.coder_workspace.me.start_count

  # The API server may add to these fields; the RuntimeClass of Sysbox's installer has its own node selector.
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
      # From Sysbox's installer, or from the example pod.
      runtimeClassName = "sysbox-runc"
      # Runs Sysbox in a user namespace. This needs Sysbox 0.7, Kubernetes 1.33, and either containerd 2.0.5 or newer, or CRI-O.
      # On CRI-O with older versions, remove hostUsers and annotate the pod: "io.kubernetes.cri-o.userns-mode" = "auto:size=65536"
      hostUsers = false
      # The token's volume would be unknown to this resource, which it treats as an error (#2326 there).
      automountServiceAccountToken = false
      securityContext = {
        # systemd must be root of its user namespace. No fsGroup: it would change the group of Docker's images, file by file.
        runAsUser = 0
      }
      containers = [{
        name  = "dev"
        image = "codercom/enterprise-base:ubuntu"
        command = ["sh", "-c", <<-EOT
          chown coder:coder /home/coder
          # Starts Coder's agent as the user "coder" once systemd is running.
          sudo -u coder --preserve-env=CODER_AGENT_TOKEN /bin/bash -- <<-'AGENT' &
          while [[ ! $(systemctl is-system-running) =~ ^(running|degraded) ]]; do sleep 2; done
          ${coder_agent.main.init_script}
          AGENT
          exec /sbin/init
        EOT
        ]
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
