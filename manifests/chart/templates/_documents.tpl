{{/*
Returns the documents of one file as {"items": […]} in JSON, in the namespace of this release and with its labels.
Takes {root, file}. The files are copies from manifests/, where the namespace is always `berth`.
*/}}
{{- define "berth.documents" -}}
{{- $root := .root -}}
{{- $text := $root.Files.Get .file | required (printf "the chart has no file %s" .file) -}}
{{- $text = regexReplaceAll "(?m)namespace: berth$" $text (printf "namespace: %s" $root.Release.Namespace) -}}
{{- $text = $text | replace "system:serviceaccount:berth:" (printf "system:serviceaccount:%s:" $root.Release.Namespace) -}}
{{- $items := list -}}
{{- range splitList "\n---\n" $text -}}
{{- $one := fromYaml . -}}
{{- if hasKey $one "Error" -}}{{- fail (printf "%s: %s" $.file $one.Error) -}}{{- end -}}
{{- $_ := set $one.metadata "labels" (merge (dict) ($one.metadata.labels | default dict) (include "berth.labels" $root | fromYaml)) -}}
{{- $items = append $items $one -}}
{{- end -}}
{{- dict "items" $items | toJson -}}
{{- end -}}

{{/* Returns the same as YAML, for files that no other value changes. */}}
{{- define "berth.file" -}}
{{- range (include "berth.documents" . | fromJson).items }}
---
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "berth.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* Returns REPOSITORY:TAG, or REPOSITORY@DIGEST. Takes {root, image}. */}}
{{- define "berth.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* Returns options as environment variables, {"items": […]} in JSON. Numbers arrive as floats and must not become 1e+06. */}}
{{- define "berth.environment" -}}
{{- $items := list -}}
{{- range $name, $value := . -}}
{{- $text := kindIs "float64" $value | ternary (int64 $value | toString) (toString $value) -}}
{{- $items = append $items (dict "name" (printf "BERTH_%s" ($name | upper | replace "-" "_")) "value" $text) -}}
{{- end -}}
{{- dict "items" $items | toJson -}}
{{- end -}}
