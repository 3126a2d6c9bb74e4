{{/* Names begin with the release's; one that names the chart is not doubled. */}}
{{- define "visionlab.fullname" -}}
{{- if contains "visionlab" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-visionlab" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "visionlab.selector" -}}
app.kubernetes.io/name: visionlab
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "visionlab.labels" -}}
{{ include "visionlab.selector" . }}
app.kubernetes.io/part-of: visionlab
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "visionlab.image" -}}
{{ with .root.Values.images.registry }}{{ trimSuffix "/" . }}/{{ end }}visionlab-{{ .name }}:{{ .root.Values.images.tag | default .root.Chart.AppVersion }}
{{- end }}

{{/* What `restricted` pod security asks of a pod, and of a container. */}}
{{- define "visionlab.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
seccompProfile: {type: RuntimeDefault}
{{- end }}
{{- define "visionlab.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "visionlab.databaseSecret" -}}
{{- if .Values.trial.enabled }}{{ include "visionlab.fullname" . }}-trial{{ else }}{{ required "database.existingSecret: name a Secret with the key `url`, or set trial.enabled" .Values.database.existingSecret }}{{ end }}
{{- end }}
{{- define "visionlab.storeSecret" -}}
{{- if and .Values.trial.enabled .Values.trial.s3.enabled }}{{ include "visionlab.fullname" . }}-trial-s3{{ else }}{{ required "objectStore.existingSecret: name a Secret with the keys `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or set trial.enabled" .Values.objectStore.existingSecret }}{{ end }}
{{- end }}
{{- define "visionlab.accountsSecret" -}}
{{- if .Values.accounts.existingSecret }}{{ .Values.accounts.existingSecret }}{{ else if .Values.trial.enabled }}{{ include "visionlab.fullname" . }}-trial{{ else }}{{ fail "accounts.existingSecret: name a Secret with the key `adminToken`, or set trial.enabled" }}{{ end }}
{{- end }}
{{- define "visionlab.storeEndpoint" -}}
{{- if and .Values.trial.enabled .Values.trial.s3.enabled }}http://{{ include "visionlab.fullname" . }}-trial-s3.{{ .Release.Namespace }}:9000{{ else }}{{ .Values.objectStore.endpoint }}{{ end }}
{{- end }}

{{/* How the store is reached; `secret`: whose keys. */}}
{{- define "visionlab.storeEnv" -}}
{{- $secret := .secret -}}{{- with .root -}}
- {name: VISIONLAB_STORE_URL, value: {{ .Values.objectStore.url | quote }}}
- {name: VISIONLAB_S3_ENDPOINT, value: {{ include "visionlab.storeEndpoint" . | quote }}}
- {name: VISIONLAB_S3_REGION, value: {{ .Values.objectStore.region | quote }}}
- {name: VISIONLAB_S3_CREATE_BUCKET, value: {{ or .Values.objectStore.createBucket .Values.trial.enabled | quote }}}
- name: VISIONLAB_S3_ACCESS_KEY
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: AWS_ACCESS_KEY_ID}}
- name: VISIONLAB_S3_SECRET_KEY
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: AWS_SECRET_ACCESS_KEY}}
{{- end }}
{{- end }}

{{/* The settings that facade, controller and the model Job share. */}}
{{/* All pools by name, as YAML: those of the kinds of models, and those set apart, which are as the detectors' in what they do not say. */}}
{{- define "visionlab.pools" -}}
{{- $pools := deepCopy .Values.serving.pools -}}
{{- range $name, $of := .Values.serving.apart -}}
{{- $_ := set $pools $name (mergeOverwrite (deepCopy $.Values.serving.pools.detectors) (omit $of "models")) -}}
{{- end -}}
{{ toYaml $pools }}
{{- end }}

{{- define "visionlab.env" -}}
- name: VISIONLAB_DATABASE_URL
  valueFrom: {secretKeyRef: {name: {{ include "visionlab.databaseSecret" . }}, key: url}}
- {name: VISIONLAB_DATABASE_WAIT_SECONDS, value: "300"}
{{ include "visionlab.storeEnv" (dict "root" . "secret" (include "visionlab.storeSecret" .)) }}
- name: VISIONLAB_ADMIN_TOKEN
  valueFrom: {secretKeyRef: {name: {{ include "visionlab.accountsSecret" . }}, key: adminToken}}
- name: VISIONLAB_OIDC_CLIENT_SECRET
  valueFrom: {secretKeyRef: {name: {{ include "visionlab.accountsSecret" . }}, key: oidcClientSecret, optional: true}}
- {name: VISIONLAB_SERVING, value: {{ .Values.serving.mode }}}
- {name: VISIONLAB_KUBERNETES_NAME, value: {{ include "visionlab.fullname" . }}}
- {name: VISIONLAB_KUBERNETES_NAMESPACE, value: {{ .Release.Namespace }}}
{{- if and .Values.serving.apart (eq .Values.serving.mode "kserve") }}
{{- $models := dict }}
{{- range $name, $of := .Values.serving.apart }}{{ $_ := set $models $name $of.models }}{{ end }}
- {name: VISIONLAB_MODEL_POOLS, value: {{ toJson $models | quote }}}
{{- end }}
- {name: VISIONLAB_KUBERNETES_OWNER, value: {{ include "visionlab.fullname" . }}-templates}
{{- with .Values.publicUrl }}
- {name: VISIONLAB_PUBLIC_URL, value: {{ . | quote }}}
{{- end }}
{{- if eq .Values.serving.mode "kserve" }}
- {name: VISIONLAB_KSERVE_TEMPLATE, value: /etc/visionlab/kserve.yaml}
{{- end }}
{{- if .Values.training.enabled }}
- {name: VISIONLAB_TRAININGS, value: kubernetes}
- {name: VISIONLAB_TRAININGS_AT_ONCE, value: {{ .Values.training.atOnce | quote }}}
- {name: VISIONLAB_JOB_TEMPLATE, value: /etc/visionlab/job.yaml}
{{- else }}
- {name: VISIONLAB_TRAININGS_AT_ONCE, value: "0"}
{{- end }}
{{- end }}

{{/* Variables of the chart (`ours`, YAML), then the operator's maps (`theirs`, by the names of their values). Kubernetes takes no name
twice, and a setting that is here and there would be a riddle. */}}
{{- define "visionlab.withTheirs" -}}
{{- .ours }}
{{- $where := dict -}}
{{- range .ours | fromYamlArray }}{{ $_ := set $where .name "the chart" }}{{ end -}}
{{- range $value, $variables := .theirs }}
{{- range $name, $setting := $variables }}
{{- with get $where $name }}
{{- fail (printf "%s: %s is set by %s already. Use the chart's value for it, or leave one of them out; what is secret belongs into a Secret (see values.yaml)." $value $name .) }}
{{- end }}
{{- $_ := set $where $name $value }}
- {name: {{ $name }}, value: {{ $setting | toString | quote }}}
{{- end }}
{{- end }}
{{- end }}

{{/* Where pictures are fetched from: the public web, as `services/public_addresses.py` has it. IPv6 behind NAT64 carries IPv4, so the
facade alone can judge it. */}}
{{- define "visionlab.publicWeb" -}}
{{- $never4 := list "0.0.0.0/8" "10.0.0.0/8" "100.64.0.0/10" "127.0.0.0/8" "168.63.129.16/32" "169.254.0.0/16" "172.16.0.0/12" "192.0.0.0/24" "192.168.0.0/16" "198.18.0.0/15" "224.0.0.0/3" -}}
{{- $never6 := list "::/96" "64:ff9b:1::/48" "2001::/23" "2002::/16" "fc00::/7" "fe80::/9" "ff00::/8" -}}
{{- range .Values.webPictures.never }}
{{- if contains ":" . }}{{ $never6 = append $never6 . }}{{ else }}{{ $never4 = append $never4 . }}{{ end }}
{{- end -}}
- ipBlock: {cidr: 0.0.0.0/0, except: {{ $never4 | uniq | toJson }}}
- ipBlock: {cidr: "::/0", except: {{ $never6 | uniq | toJson }}}
{{- end }}

{{- define "visionlab.pullSecrets" -}}
{{- with .Values.images.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "visionlab.spread" -}}
{{ include "visionlab.spreadOf" (include "visionlab.selector" . | fromYaml) }}
{{- end }}

{{/* Pods with these labels over zones and nodes, as far as there are any. */}}
{{- define "visionlab.spreadOf" -}}
topologySpreadConstraints:
{{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector: {matchLabels: {{ toJson $ }}}
{{- end }}
{{- end }}

{{- define "visionlab.scrape" -}}
{{- if .root.Values.monitoring.annotations }}
prometheus.io/scrape: "true"
prometheus.io/port: {{ .port | quote }}
prometheus.io/path: /metrics
{{- end }}
{{- end }}
