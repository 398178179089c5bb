{{- define "churnwatch.name" -}}
{{- if contains "churnwatch" .Release.Name }}{{ .Release.Name | trunc 52 | trimSuffix "-" }}{{ else }}{{ printf "%s-churnwatch" .Release.Name | trunc 52 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "churnwatch.selector" -}}
app.kubernetes.io/name: churnwatch
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "churnwatch.labels" -}}
{{ include "churnwatch.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "churnwatch.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* Secrets that become files, by the folder's name: /etc/kafka-… */ -}}
{{- define "churnwatch.files" -}}
{{- with .Values.kafka.security }}
{{- if .caSecret }}
ca: {name: {{ .caSecret }}, keys: [{{ .caKey }}]}
{{- end }}
{{- if .certSecret }}
cert: {name: {{ .certSecret }}, keys: [{{ .certKey }}, {{ .certKeyKey }}]}
{{- end }}
{{- if hasPrefix "sasl" .protocol }}
user: {name: {{ .passwordSecret }}, keys: [{{ .passwordKey }}]}
{{- end }}
{{- end }}
{{- end }}

{{- /* What would be found out only when it runs. */ -}}
{{- define "churnwatch.checked" -}}
{{- if not .Values.ops.secret }}{{ fail "ops.secret: name a secret with the token for /metrics" }}{{ end }}
{{- with .Values.kafka.security }}
{{- if hasPrefix "sasl" .protocol }}
{{- if not .user }}{{ fail "kafka.security.user: needed for this protocol" }}{{ end }}
{{- if not .passwordSecret }}{{ fail "kafka.security.passwordSecret: needed for this protocol" }}{{ end }}
{{- end }}
{{- if and .caSecret (not (hasSuffix "ssl" .protocol)) }}{{ fail "kafka.security.protocol: caSecret is for ssl or sasl_ssl" }}{{ end }}
{{- end }}
{{- if gt (int .Values.replicas) (int .Values.journalPartitions) }}{{ fail "replicas: more than journalPartitions, and those above it would have nothing to do" }}{{ end }}
{{- if .Values.autoscaling.enabled }}
{{- if lt (int .Values.autoscaling.min) 1 }}{{ fail "autoscaling.min: at least 1, or nobody writes ticks" }}{{ end }}
{{- if gt (int .Values.autoscaling.max) (int .Values.journalPartitions) }}{{ fail "autoscaling.max: not above journalPartitions" }}{{ end }}
{{- end }}
{{- end }}
