{{- define "istiod.revision" -}}
{{ .Values.revision | default "default" }}
{{- end }}

{{/* What every object of the default revision is called; those of others have the revision behind it. */}}
{{- define "istiod.name" -}}
istiod{{ include "istiod.suffix" . }}
{{- end }}

{{- define "istiod.suffix" -}}
{{- if ne (include "istiod.revision" .) "default" }}-{{ .Values.revision }}{{ end }}
{{- end }}

{{- define "istiod.validator" -}}
culvert{{ include "istiod.suffix" . }}-{{ .Release.Namespace }}-validator
{{- end }}

{{/* As Istio's: the default does not choose the pods of other revisions. */}}
{{- define "istiod.selector" -}}
{{- if eq (include "istiod.revision" .) "default" -}}
istio: pilot
{{- else -}}
app: istiod
istio.io/rev: {{ .Values.revision }}
{{- end }}
{{- end }}

{{- define "istiod.labels" -}}
app: istiod
istio.io/rev: {{ include "istiod.revision" . }}
app.kubernetes.io/name: istiod
app.kubernetes.io/part-of: culvert
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "istiod.image" -}}
{{ .Values.global.hub }}/{{ .Values.image }}:{{ .Values.global.tag | default .Chart.AppVersion }}
{{- end }}
