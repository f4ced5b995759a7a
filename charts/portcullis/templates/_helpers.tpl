{{/* The labels app and chart keep Gatekeeper's name: they are in selectors, which cannot change in an upgrade from its chart. */}}
{{- define "portcullis.name" -}}
{{- default "gatekeeper" .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* On every object, and in selectors. */}}
{{- define "portcullis.labels" -}}
app: {{ include "portcullis.name" . | quote }}
chart: {{ include "portcullis.name" . | quote }}
gatekeeper.sh/system: "yes"
heritage: {{ .Release.Service | quote }}
release: {{ .Release.Name | quote }}
{{- end -}}

{{/* On workloads, hooks and their pods. */}}
{{- define "portcullis.recommendedLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/name: {{ include "portcullis.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.Version | replace "+" "_" | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "portcullis.controllerLabels" -}}
control-plane: controller-manager
gatekeeper.sh/operation: webhook
{{- end -}}

{{- define "portcullis.auditLabels" -}}
control-plane: audit-controller
gatekeeper.sh/operation: audit
{{- end -}}

{{/* repository:tag, or the repository alone. Takes a dict with repository and tag. */}}
{{- define "portcullis.reference" -}}
{{- if .tag -}}{{ printf "%s:%s" .repository .tag | quote }}{{- else -}}{{ .repository | quote }}{{- end -}}
{{- end -}}

{{- define "portcullis.image" -}}
{{- include "portcullis.reference" (dict "repository" .Values.image.repository "tag" .Values.image.release) -}}
{{- end -}}

{{/* A list item --flag=value. Numbers go through JSON: as Go prints them, a million would become 1e+06. */}}
{{- define "portcullis.flag" -}}
{{- $value := index . 1 -}}
- {{ printf "--%s=%s" (index . 0) (kindIs "string" $value | ternary (toString $value) (toJson $value)) | quote }}
{{- end -}}

{{/* The flags of a dict of flag to value name, each only where the value is set. Takes a list: the values, the dict. */}}
{{- define "portcullis.flagsWhenSet" -}}
{{- $values := index . 0 -}}
{{- range $flag, $name := index . 1 }}
{{- if hasKey $values $name }}
{{ include "portcullis.flag" (list $flag (get $values $name)) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A flag once for every element. Takes a list: the flag, the elements. */}}
{{- define "portcullis.flagEach" -}}
{{- $flag := index . 0 -}}
{{- range index . 1 }}
{{ include "portcullis.flag" (list $flag .) }}
{{- end }}
{{- end -}}

{{/* The flags that both deployments take. Takes a dict: root, and part (controllerManager or audit). */}}
{{- define "portcullis.commonFlags" -}}
{{- $v := .root.Values -}}
- --logtostderr
{{ include "portcullis.flag" (list "log-level" (default $v.logLevel .part.logLevel)) }}
{{ include "portcullis.flag" (list "health-addr" (printf ":%v" .part.healthPort)) }}
{{ include "portcullis.flag" (list "prometheus-port" .part.metricsPort) }}
{{ include "portcullis.flag" (list "validating-webhook-configuration-name" $v.validatingWebhookName) }}
{{ include "portcullis.flag" (list "mutating-webhook-configuration-name" $v.mutatingWebhookName) }}
{{ include "portcullis.flag" (list "enable-external-data" $v.enableExternalData) }}
{{ include "portcullis.flag" (list "external-data-provider-response-cache-ttl" $v.externaldataProviderResponseCacheTTL) }}
{{ include "portcullis.flag" (list "enable-generator-resource-expansion" $v.enableGeneratorResourceExpansion) }}
{{ include "portcullis.flag" (list "enable-k8s-native-validation" $v.enableK8sNativeValidation) }}
{{- include "portcullis.flagEach" (list "metrics-backend" $v.metricsBackends) }}
{{- if has "opentelemetry" $v.metricsBackends }}
{{- include "portcullis.flagsWhenSet" (list $v (dict "otlp-endpoint" "otlpEndpoint" "otlp-metric-interval" "otlpMetricInterval")) }}
{{- end }}
{{- if has "stackdriver" $v.metricsBackends }}
{{- include "portcullis.flagsWhenSet" (list $v (dict "stackdriver-only-when-available" "stackdriverOnlyWhenAvailable" "stackdriver-metric-interval" "stackdriverMetricInterval")) }}
{{- end }}
{{- with .part.logFile }}
{{ include "portcullis.flag" (list "log-file" .) }}
{{- end }}
{{- include "portcullis.flagEach" (list "exempt-namespace" $v.controllerManager.exemptNamespaces) }}
{{- include "portcullis.flagEach" (list "exempt-namespace-prefix" $v.controllerManager.exemptNamespacePrefixes) }}
{{- include "portcullis.flagEach" (list "exempt-namespace-suffix" (default list $v.controllerManager.exemptNamespaceSuffixes)) }}
{{- include "portcullis.flagsWhenSet" (list $v (dict
  "log-level-key" "logLevelKey"
  "log-level-encoder" "logLevelEncoder"
  "metrics-addr" "metricsAddr"
  "readiness-retries" "readinessRetries"
  "enable-pprof" "enablePprof"
  "pprof-port" "pprofPort"
  "enable-referential-rules" "enableReferentialRules"
  "shutdown-delay" "shutdownDelay"
  "enable-remote-cluster" "enableRemoteCluster"
  "kubeconfig" "kubeconfig"
  "default-k8s-native-validation-failure-policy" "defaultK8sNativeValidationFailurePolicy"
  "default-create-vap-for-templates" "defaultCreateVAPForTemplates"
  "default-create-vap-binding-for-constraints" "defaultCreateVAPBindingForConstraints"
  "default-wait-for-vapb-generation" "defaultWaitForVAPBGeneration")) }}
{{- end -}}

{{/* The container's environment. Takes a dict: root, part. */}}
{{- define "portcullis.env" -}}
{{- with .root.Values.extraEnvs }}
{{ toYaml . }}
{{- end }}
{{- with .part.extraEnvs }}
{{ toYaml . }}
{{- end }}
- {name: POD_NAMESPACE, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}}
- {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: NAMESPACE, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}}
- {name: CONTAINER_NAME, value: manager}
- name: OTEL_RESOURCE_ATTRIBUTES
  value: k8s.pod.name=$(POD_NAME),k8s.namespace.name=$(NAMESPACE),k8s.container.name=$(CONTAINER_NAME)
{{- end -}}

{{/* What of a container is the same in both deployments. Takes a dict: root, part. */}}
{{- define "portcullis.containerRest" -}}
name: {{ .part.containerName | quote }}
image: {{ include "portcullis.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy | quote }}
command: [/manager]
env:
  {{- include "portcullis.env" . | trim | nindent 2 }}
livenessProbe:
  httpGet: {path: /healthz, port: {{ .part.healthPort }}}
  timeoutSeconds: {{ .part.livenessTimeout }}
readinessProbe:
  httpGet: {path: /readyz, port: {{ .part.healthPort }}}
  timeoutSeconds: {{ .part.readinessTimeout }}
resources:
  {{- toYaml .part.resources | nindent 2 }}
securityContext:
  {{- include "portcullis.securityContext" (list .root .part.securityContext) | nindent 2 }}
{{- end -}}

{{- define "portcullis.securityContext" -}}
{{- $root := index . 0 -}}
{{- if $root.Values.enableRuntimeDefaultSeccompProfile }}
{{- toYaml (merge (dict "seccompProfile" (dict "type" "RuntimeDefault")) (index . 1)) }}
{{- else }}
{{- toYaml (index . 1) }}
{{- end }}
{{- end -}}

{{/* What of a pod is the same in both deployments. Takes a dict: root, part. */}}
{{- define "portcullis.podRest" -}}
automountServiceAccountToken: {{ .part.serviceAccount.automountServiceAccountToken }}
serviceAccountName: {{ .part.serviceAccount.name }}
{{- with .part.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
terminationGracePeriodSeconds: 60
dnsPolicy: {{ .part.dnsPolicy }}
hostNetwork: {{ .part.hostNetwork }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .part.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- include "portcullis.placement" .part }}
{{- end -}}

{{/* affinity, tolerations and node selector of a dict that has them. */}}
{{- define "portcullis.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "portcullis.exportsToDisk" -}}
{{- if and .Values.enableViolationExport (eq (default "" .Values.exportBackend | lower) "disk") }}yes{{ end -}}
{{- end -}}

{{/* The webhook configurations leave out namespaces: those with the ignore label, the own one, and what the values name.
     Takes a list: root, the value. */}}
{{- define "portcullis.namespaceSelector" -}}
{{- $root := index . 0 -}}
{{- $exempt := deepCopy (index . 1) -}}
{{- $names := append (default list (get $exempt "kubernetes.io/metadata.name")) $root.Release.Namespace | uniq -}}
matchExpressions:
  - {key: admission.gatekeeper.sh/ignore, operator: DoesNotExist}
{{- range $key, $values := set $exempt "kubernetes.io/metadata.name" $names }}
  - key: {{ $key }}
    operator: NotIn
    values:
      {{- range $values }}
      - {{ . | quote }}
      {{- end }}
{{- end }}
{{- end -}}

{{/* A webhook's client configuration. Takes a list: root, path, URL or nothing. */}}
{{- define "portcullis.clientConfig" -}}
{{- $url := index . 2 -}}
{{- if $url -}}
url: {{ printf "https://%s%s" $url (index . 1) | quote }}
{{- else -}}
service: {name: gatekeeper-webhook-service, namespace: {{ (index . 0).Release.Namespace | quote }}, path: {{ index . 1 }}}
{{- end -}}
{{- end -}}
