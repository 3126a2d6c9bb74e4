{{/* An HPA and a PodDisruptionBudget of a Deployment. */}}
{{- define "visionlab.scaling" -}}
{{- $name := printf "%s-%s" (include "visionlab.fullname" .root) .component -}}
{{- if .of.autoscaling.enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ $name }}
  labels: {{- include "visionlab.labels" . | nindent 4 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ $name }}}
  minReplicas: {{ .of.autoscaling.minReplicas }}
  maxReplicas: {{ .of.autoscaling.maxReplicas }}
  behavior: {scaleDown: {stabilizationWindowSeconds: {{ .of.autoscaling.scaleDownSeconds }}}}
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: {{ .of.autoscaling.targetCPU }}}}
{{- end }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  labels: {{- include "visionlab.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector: {matchLabels: {{ include "visionlab.selector" . | fromYaml | toJson }}}
{{- end }}
