{{/* Helm's annotations of a hook. Takes a dict: hook, weight. */}}
{{- define "portcullis.hookAnnotations" -}}
helm.sh/hook: {{ .hook }}
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: hook-succeeded,before-hook-creation
{{- end -}}

{{/* A hook's account and what it may do. Takes a dict: root, hook, weight, role, account, rules. */}}
{{- define "portcullis.hookAccess" -}}
{{- if .account.create }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .account.name }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "portcullis.labels" .root | nindent 4 }}
  annotations:
    {{- include "portcullis.hookAnnotations" . | nindent 4 }}
{{- end }}
{{- if .root.Values.rbac.create }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ .role }}
  labels:
    {{- include "portcullis.labels" .root | nindent 4 }}
  annotations:
    {{- include "portcullis.hookAnnotations" . | nindent 4 }}
rules:
  {{- toYaml .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ .role }}
  labels:
    {{- include "portcullis.labels" .root | nindent 4 }}
  annotations:
    {{- include "portcullis.hookAnnotations" . | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{ .role }}}
subjects:
  - {kind: ServiceAccount, name: {{ .account.name }}, namespace: {{ .root.Release.Namespace | quote }}}
{{- end }}
{{- end -}}

{{/* A hook's Job up to its containers. Takes a dict: root, hook, weight, job, account (a name), restartPolicy,
     priorityClassName, pullSecrets, annotations, placement. */}}
{{- define "portcullis.hookJob" -}}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .job }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "portcullis.labels" .root | nindent 4 }}
    {{- include "portcullis.recommendedLabels" .root | nindent 4 }}
  annotations:
    {{- include "portcullis.hookAnnotations" . | nindent 4 }}
    {{- with .annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  backoffLimit: 3
  template:
    metadata:
      {{- with .root.Values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      labels:
        {{- with .root.Values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- include "portcullis.labels" .root | nindent 8 }}
        {{- include "portcullis.recommendedLabels" .root | nindent 8 }}
    spec:
      restartPolicy: {{ .restartPolicy }}
      {{- with .account }}
      serviceAccountName: {{ . }}
      {{- end }}
      {{- with .priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with .pullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- include "portcullis.placement" .placement | nindent 6 }}
{{- end -}}

{{/* A hook's container that does what kubectl would: with the image of the values, whose entrypoint is kubectl, or with
     Portcullis's own. Takes a dict: root, name, image, resources, securityContext, args. */}}
{{- define "portcullis.hookContainer" -}}
- name: {{ .name }}
  {{- if .image.repository }}
  image: {{ include "portcullis.reference" .image }}
  imagePullPolicy: {{ default "IfNotPresent" .image.pullPolicy }}
  {{- else }}
  image: {{ include "portcullis.image" .root }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy | quote }}
  command: [/portcullis, hook]
  {{- end }}
  args:
    {{- toYaml .args | nindent 4 }}
  {{- with .resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- include "portcullis.securityContext" (list .root .securityContext) | nindent 4 }}
{{- end -}}

{{/* Waits until the webhook answers: curl from the image of the values, or Portcullis's own image. */}}
{{- define "portcullis.probeContainer" -}}
{{- $probe := .Values.postInstall.probeWebhook -}}
{{- $url := printf "https://gatekeeper-webhook-service.%s.svc/v1/admitlabel?timeout=2s" .Release.Namespace -}}
- name: webhook-probe-post
  {{- if $probe.image.repository }}
  image: {{ include "portcullis.reference" $probe.image }}
  imagePullPolicy: {{ default "IfNotPresent" $probe.image.pullPolicy }}
  command: [curl]
  args:
    {{- list "-v" "--retry" "99999" "--retry-connrefused" "--retry-delay" "1"
      "--retry-max-time" (toString $probe.waitTimeout) "--max-time" (toString $probe.httpTimeout) | toYaml | nindent 4 }}
    {{- if $probe.insecureHTTPS }}
    - --insecure
    {{- else }}
    - --cacert
    - /certs/ca.crt
    {{- end }}
    - {{ $url | quote }}
  {{- else }}
  image: {{ include "portcullis.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy | quote }}
  command: [/portcullis, hook]
  args:
    - probe
    - {{ $url | quote }}
    - {{ printf "--wait=%v" $probe.waitTimeout | quote }}
    - {{ printf "--timeout=%v" $probe.httpTimeout | quote }}
    {{- if $probe.insecureHTTPS }}
    - --insecure
    {{- else }}
    - --cacert=/certs/ca.crt
    {{- end }}
  {{- end }}
  {{- with .Values.postInstall.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- include "portcullis.securityContext" (list . .Values.postInstall.securityContext) | nindent 4 }}
  volumeMounts:
    - {name: cert, mountPath: /certs, readOnly: true}
{{- end -}}

{{- define "portcullis.probeVolumes" -}}
- name: cert
  secret: {secretName: {{ .Values.externalCertInjection.secretName | quote }}}
{{- end -}}

{{/* The containers that label the own namespace, and the extra ones. Takes a list: root, the values of the hook
     (postInstall or postUpgrade). */}}
{{- define "portcullis.labelContainers" -}}
{{- $root := index . 0 -}}
{{- $phase := index . 1 -}}
{{- $label := $phase.labelNamespace -}}
{{- $base := dict "root" $root "image" $label.image "resources" $phase.resources "securityContext" $phase.securityContext -}}
{{- $own := concat (list "label" "ns" $root.Release.Namespace "admission.gatekeeper.sh/ignore=no-self-managing") $label.podSecurity (list "--overwrite") -}}
{{ include "portcullis.hookContainer" (merge (dict "name" "kubectl-label" "args" $own) $base) }}
{{- if $label.extraNamespaces }}
{{- $extra := concat (list "label" "ns") $label.extraNamespaces (list "admission.gatekeeper.sh/ignore=extra-namespaces" "--overwrite") }}
{{ include "portcullis.hookContainer" (merge (dict "name" "kubectl-label-extra" "args" $extra) $base) }}
{{- end }}
{{- end -}}

{{/* What the labelling hooks may do. Takes a list: root, labelNamespace of the values. */}}
{{- define "portcullis.labelRules" -}}
{{- $names := prepend (index . 1).extraNamespaces (index . 0).Release.Namespace -}}
{{- $rule := dict "apiGroups" (list "") "resources" (list "namespaces") "verbs" (list "get" "update" "patch") "resourceNames" $names -}}
{{- toYaml (concat (list $rule) (default list (index . 1).extraRules)) -}}
{{- end -}}
