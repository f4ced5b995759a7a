// The manager's flags, in the groups of ManagerOptions.
#include "cmd/manager_options.h"

namespace portcullis::cmd {

namespace {

void declare_process_flags(GoFlags& f, ManagerOptions& o) {
  f.add("log-level", o.log_level, "least severe lines to log: DEBUG, INFO, WARNING or ERROR");
  f.add("log-level-key", o.log_level_key, "name of the level's key in log lines");
  f.add("log-level-encoder", o.log_level_encoder, "spelling of levels: lower, capital, color or capitalcolor");
  f.add("log-file", o.log_file, "file to log to instead of stderr");
  f.add("operation", o.operations,
        "what this process does; repeat it or separate with commas: audit, generate, mutation-controller, "
        "mutation-status, mutation-webhook, status, webhook. All when not given");
  f.add("port", o.port, "port of the webhook server");
  f.add("host", o.host, "address the webhook server binds to; all when empty");
  f.add("health-addr", o.health_addr, "address of /healthz and /readyz");
  f.add("metrics-addr", o.metrics_addr, "address of the process's own metrics; 0 is off");
  f.add("prometheus-port", o.prometheus_port, "port of /metrics");
  f.add("metrics-backend", o.metrics_backends, "where metrics go; repeatable: prometheus, opentelemetry, stackdriver");
  f.add("otlp-endpoint", o.otlp_endpoint, "OTLP/HTTP endpoint of the opentelemetry backend");
  f.add("otlp-metric-interval", o.otlp_metric_interval, "how often metrics are sent to --otlp-endpoint");
  f.add("stackdriver-only-when-available", o.stackdriver_only_when_available, "no error where stackdriver is absent");
  f.add("stackdriver-metric-interval", o.stackdriver_metric_interval, "how often metrics are sent to stackdriver");
  f.add("readiness-retries", o.readiness_retries, "further tries for an object that fails to load; -1 waits for ever");
  f.add("shutdown-delay", o.shutdown_delay, "seconds to keep serving after SIGTERM");
  f.add("enable-pprof", o.enable_pprof, "serve profiles on localhost");
  f.add("pprof-port", o.pprof_port, "port for --enable-pprof");
  f.add("enable-remote-cluster", o.enable_remote_cluster, "manage the cluster of --kubeconfig, keep status here");
  f.add("kubeconfig", o.kubeconfig, "path of a kubeconfig; in a pod the service account is used instead");
  f.add("debug-use-fake-pod", o.debug_use_fake_pod, "run outside a cluster under the pod name no-pod");
}

void declare_tls_flags(GoFlags& f, ManagerOptions& o) {
  f.add("cert-dir", o.cert_dir, "folder of tls.crt and tls.key");
  f.add("cert-service-name", o.cert_service_name, "service that the webhook's certificate is made for");
  f.add("disable-cert-rotation", o.disable_cert_rotation, "use the certificates in --cert-dir as they are");
  f.add("enable-tls-healthcheck", o.enable_tls_healthcheck, "add the tls-check to /healthz");
  f.add("tls-min-version", o.tls_min_version, "lowest TLS version served: 1.0, 1.1, 1.2 or 1.3");
  f.add("client-ca-name", o.client_ca_name, "file in --cert-dir that client certificates are checked against");
  f.add("client-cn-name", o.client_cn_name, "common name that client certificates must have");
  f.add("validating-webhook-configuration-name", o.validating_webhook_configuration_name,
        "configuration that gets the CA bundle");
  f.add("mutating-webhook-configuration-name", o.mutating_webhook_configuration_name,
        "configuration that gets the CA bundle");
  f.add("additional-validating-webhook-configs-to-rotate-certs", o.additional_validating_webhook_configs,
        "further validating configurations that get the CA bundle, separated by commas");
  f.add("additional-mutating-webhook-configs-to-rotate-certs", o.additional_mutating_webhook_configs,
        "further mutating configurations that get the CA bundle, separated by commas");
}

void declare_webhook_flags(GoFlags& f, ManagerOptions& o) {
  f.add("exempt-namespace", o.exempt_namespaces, "namespace that may carry the ignore label; repeatable");
  f.add("exempt-namespace-prefix", o.exempt_namespace_prefixes, "the same for all names that begin so; repeatable");
  f.add("exempt-namespace-suffix", o.exempt_namespace_suffixes, "the same for all names that end so; repeatable");
  f.add("max-serving-threads", o.max_serving_threads, "reviews evaluated at once; below 1: one per CPU");
  f.add("log-denies", o.log_denies, "log every violation found at admission");
  f.add("log-stats-admission", o.log_stats_admission, "log evaluation statistics of admission reviews");
  f.add("emit-admission-events", o.emit_admission_events,
        "make an Event of each violation found at admission; of a burst that the API server cannot take, some are "
        "dropped");
  f.add("admission-events-involved-namespace", o.admission_events_involved_namespace,
        "put those Events into the object's namespace");
  f.add("disable-enforcementaction-validation", o.disable_enforcement_action_validation,
        "accept constraints with unknown enforcement actions");
}

void declare_audit_flags(GoFlags& f, ManagerOptions& o) {
  f.add("audit-interval", o.audit_interval, "seconds between audits; 0 turns audit off");
  f.add("constraint-violations-limit", o.constraint_violations_limit, "violations kept in a constraint's status");
  f.add("audit-chunk-size", o.audit_chunk_size, "objects per list request; 0: all at once");
  f.add("audit-from-cache", o.audit_from_cache, "audit synced objects instead of listing");
  f.add("audit-match-kind-only", o.audit_match_kind_only,
        "list only kinds that constraints name; without effect, because audit never lists other kinds");
  f.add("emit-audit-events", o.emit_audit_events,
        "make an Event of each violation found by audit; of a burst that the API server cannot take, some are dropped");
  f.add("audit-events-involved-namespace", o.audit_events_involved_namespace,
        "put those Events into the object's namespace");
  f.add("log-stats-audit", o.log_stats_audit, "log evaluation statistics of audits");
  f.add("api-cache-dir", o.api_cache_dir, "accepted for compatibility: listed pages are not written to disk");
  f.add("enable-violation-export", o.enable_violation_export, "send audit violations to a Connection");
  f.add("enable-admission-violation-export", o.enable_admission_violation_export,
        "send admission violations to a Connection");
  f.add("audit-connection", o.audit_connection, "name of that Connection");
  f.add("audit-channel", o.audit_channel, "topic of that Connection");
}

void declare_engine_flags(GoFlags& f, ManagerOptions& o) {
  f.add("enable-k8s-native-validation", o.enable_k8s_native_validation, "evaluate CEL in templates");
  f.add("default-k8s-native-validation-failure-policy", o.default_native_validation_failure_policy,
        "failure policy of CEL templates that name none: Fail or Ignore");
  f.add("default-create-vap-for-templates", o.default_create_vap_for_templates,
        "make a ValidatingAdmissionPolicy of CEL templates that do not say");
  f.add("default-create-vap-binding-for-constraints", o.default_create_vap_binding_for_constraints,
        "make a ValidatingAdmissionPolicyBinding of constraints that do not say");
  f.add("default-wait-for-vapb-generation", o.default_wait_for_vapb_generation,
        "seconds between a template's policy and its bindings");
  f.add("sync-vap-enforcement-scope", o.sync_vap_enforcement_scope,
        "deprecated: generated policies follow the webhook");
  f.add("enable-referential-rules", o.enable_referential_rules, "let templates read data.inventory");
  f.add("disable-opa-builtin", o.disabled_opa_builtins, "Rego builtin that templates may not call; repeatable");
  f.add("enable-external-data", o.enable_external_data, "let templates call external_data");
  f.add("external-data-provider-response-cache-ttl", o.external_data_cache_ttl, "how long provider answers are kept");
  f.add("enable-generator-resource-expansion", o.enable_generator_resource_expansion, "expand generator resources");
  f.add("enable-mutation", o.enable_mutation, "deprecated, without effect");
  f.add("log-mutations", o.log_mutations, "log every mutation");
  f.add("mutation-annotations", o.mutation_annotations, "annotate mutated objects");
}

void declare_own_flags(GoFlags& f, ManagerOptions& o) {
  f.add("audit-schedule", o.audit_schedules,
        "cron expression of further audits, for example \"30 3 * * *\" or @daily; repeatable");
  f.add("audit-schedule-time-zone", o.audit_time_zone, "IANA time zone of --audit-schedule; UTC when empty");
  f.add("audit-request-annotation", o.audit_request_annotation,
        "annotation of the own Namespace; each new value starts an audit; off when empty");
  f.add("max-inventory-bytes", o.max_inventory_bytes,
        "bound of the memory for synced objects, growing ones included; what does not fit is left out; 0: none");
  f.add("log-explanations", o.log_explanations,
        "log for every admission review which constraints matched, which did not and on which field, and which rule "
        "on which line fired, as `portcullis explain` says it; for a while only: it looks at every constraint and "
        "evaluates violated ones again");
  f.add("constraint-metrics", o.constraint_metrics,
        "metrics of each constraint: violations, evaluations and their time");
  f.add("constraint-metrics-limit", o.constraint_metrics_limit,
        "constraints that --constraint-metrics shows at most; those beyond are counted");
}

}  // namespace

void declare_manager_flags(GoFlags& flags, ManagerOptions& options) {
  flags.section("Process");
  declare_process_flags(flags, options);
  flags.section("Certificates and TLS");
  declare_tls_flags(flags, options);
  flags.section("Admission webhook");
  declare_webhook_flags(flags, options);
  flags.section("Audit");
  declare_audit_flags(flags, options);
  flags.section("Engines and policies");
  declare_engine_flags(flags, options);
  flags.section("Beyond Gatekeeper");
  declare_own_flags(flags, options);
  flags.section("Ignored");
  for (const char* name : {"logtostderr", "alsologtostderr"}) {
    flags.add_ignored(name, true, "accepted for compatibility, ignored");
  }
  for (const char* name :
       {"stderrthreshold", "v", "vmodule", "log_dir", "log_link", "logbuflevel", "log_backtrace_at"}) {
    flags.add_ignored(name, false, "accepted for compatibility, ignored");
  }
}

}  // namespace portcullis::cmd
