{{/* What is refused before anything is made, with a sentence that says what to do. */}}
{{- define "visionlab.checks" -}}
{{- $v := .Values -}}
{{- $name := include "visionlab.fullname" . -}}
{{- if not (regexMatch "^[a-z]([a-z0-9-]*[a-z0-9])?$" $name) }}
{{- fail (printf "the release's name makes %q, which cannot begin names in Kubernetes: use small letters, digits and dashes, a letter first" $name) }}
{{- end }}

{{- if $v.trial.enabled }}
{{- with $v.database.existingSecret }}
{{- fail (printf "trial.enabled brings a PostgreSQL of its own, and database.existingSecret names one of yours (%s): leave one of them out. For a PostgreSQL of yours, trial.enabled=false." .) }}
{{- end }}
{{- if and $v.trial.s3.enabled $v.objectStore.existingSecret }}
{{- fail (printf "trial.s3.enabled brings an S3 of its own, and objectStore.existingSecret names the keys of one of yours (%s): leave it out, or set trial.s3.enabled=false." $v.objectStore.existingSecret) }}
{{- end }}
{{- end }}

{{- range $part := list "api" "ui" }}
{{- with (index $v $part) }}
{{- include "visionlab.checkScaling" (dict "at" (print $part ".autoscaling") "min" .autoscaling.minReplicas "max" .autoscaling.maxReplicas "cpu" .autoscaling.enabled "resources" .resources "resourcesAt" (print $part ".resources") "on" .autoscaling.enabled) }}
{{- end }}
{{- end }}
{{- if eq $v.serving.mode "kserve" }}
{{- range $pool, $of := $v.serving.apart }}
{{- if hasKey $v.serving.pools $pool }}
{{- fail (printf "serving.apart.%s: that pool serves all models of its kind; choose another name for one that is apart" $pool) }}
{{- end }}
{{- end }}
{{- range $pool, $of := include "visionlab.pools" . | fromYaml }}
{{- $at := print (ternary "serving.pools." "serving.apart." (hasKey $v.serving.pools $pool)) $pool -}}
{{- include "visionlab.checkScaling" (dict "at" $at "min" $of.minReplicas "max" $of.maxReplicas "cpu" (eq $of.autoscaling "cpu") "resources" $of.resources "resourcesAt" (print $at ".resources") "on" (ne $of.autoscaling "none")) }}
{{- if eq $of.autoscaling "keda" }}
{{- $_ := required (print $at ".autoscaling is keda: serving.keda.prometheus says where it asks") $v.serving.keda.prometheus }}
{{- include "visionlab.needs" (dict "root" $ "api" "keda.sh/v1alpha1" "who" (print $at ".autoscaling is keda") "what" "KEDA" "or" (print $at ".autoscaling=cpu")) }}
{{- end }}
{{- end }}
{{- include "visionlab.needs" (dict "root" . "api" "serving.kserve.io/v1beta1" "who" "serving.mode is kserve" "what" "KServe" "or" "serving.mode=embedded") }}
{{- end }}

{{- if $v.httpRoute.enabled }}
{{- include "visionlab.needs" (dict "root" . "api" "gateway.networking.k8s.io/v1" "who" "httpRoute.enabled is true" "what" "Gateway API" "or" "ingress.enabled=true in its place") }}
{{- end }}
{{- if $v.monitoring.operator }}
{{- include "visionlab.needs" (dict "root" . "api" "monitoring.coreos.com/v1" "who" "monitoring.operator is true" "what" "Prometheus operator" "or" "monitoring.operator=false") }}
{{- end }}
{{- if and $v.training.enabled $v.training.queue }}
{{- include "visionlab.needs" (dict "root" . "api" "kueue.x-k8s.io/v1beta1" "orApi" "kueue.x-k8s.io/v1beta2" "who" (print "training.queue is " $v.training.queue) "what" "Kueue" "or" "training.queue=\"\"") }}
{{- end }}
{{- end }}

{{- define "visionlab.checkScaling" -}}
{{- if lt (int .min) 1 }}
{{- fail (printf "%s.minReplicas is 0: nobody would answer, and nothing would start a pod. Set at least 1." .at) }}
{{- end }}
{{- if and .on (gt (int .min) (int .max)) }}
{{- fail (printf "%s.minReplicas (%d) is more than maxReplicas (%d)" .at (int .min) (int .max)) }}
{{- end }}
{{- if and .cpu (not (dig "requests" "cpu" "" .resources)) }}
{{- fail (printf "%s is by percent of the requested CPU: set %s.requests.cpu" .at .resourcesAt) }}
{{- end }}
{{- end }}

{{/* Fails where the cluster lacks an API. `helm template` knows no cluster and passes: a cluster is known by the API of its own
APIServices, which each has and helm's built-in list has not. */}}
{{- define "visionlab.needs" -}}
{{- $apis := .root.Capabilities.APIVersions -}}
{{- if and ($apis.Has "apiregistration.k8s.io/v1") (not ($apis.Has .api)) (not ($apis.Has (default .api .orApi))) }}
{{- fail (printf "%s, and this cluster has no %s (%s). Install it, or set %s." .who .what .api .or) }}
{{- end }}
{{- end }}
