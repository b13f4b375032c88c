{{- define "base.labels" -}}
app: culvert
app.kubernetes.io/name: culvert
app.kubernetes.io/part-of: culvert
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

