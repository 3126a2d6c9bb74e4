{{- define "visionlab.trialS3User" -}}visionlab{{- end }}

{{/* A secret of a trial: made once, at random, and the same at each upgrade. It is in one Secret or the other. */}}
{{- define "visionlab.trialSecret" -}}
{{- $root := .root -}}{{- $key := .key -}}{{- $found := "" -}}
{{- range $suffix := list "trial" "trial-s3" -}}
{{- $known := lookup "v1" "Secret" $root.Release.Namespace (printf "%s-%s" (include "visionlab.fullname" $root) $suffix) | default dict -}}
{{- with index ($known.data | default dict) $key }}{{ $found = b64dec . }}{{ end -}}
{{- end -}}
{{- if not $found -}}
{{- if not (hasKey $root.Values.trial "made") }}{{ $_ := set $root.Values.trial "made" dict }}{{ end -}}
{{- if not (hasKey $root.Values.trial.made $key) }}{{ $_ := set $root.Values.trial.made $key (randAlphaNum 40) }}{{ end -}}
{{- $found = index $root.Values.trial.made $key -}}
{{- end -}}
{{ $found }}
{{- end }}
