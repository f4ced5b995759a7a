// Every flag of Gatekeeper's manager with its default, and the environment it reads.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "cmd/go_flags.h"

namespace portcullis::cmd {

struct ManagerOptions {
  // Logging.
  std::string log_level = "INFO";
  std::string log_level_key = "level";
  std::string log_level_encoder = "lower";
  std::string log_file;
  // What this process does; empty means everything.
  std::vector<std::string> operations;
  // Listeners.
  std::int64_t port = 443;
  std::string host;
  std::string health_addr = ":9090";
  std::string metrics_addr = "0";
  std::int64_t prometheus_port = 8888;
  std::vector<std::string> metrics_backends{"prometheus"};
  std::string otlp_endpoint;
  std::chrono::nanoseconds otlp_metric_interval = std::chrono::seconds{10};
  bool stackdriver_only_when_available = false;
  std::chrono::nanoseconds stackdriver_metric_interval = std::chrono::seconds{10};
  // Certificates and TLS.
  std::string cert_dir = "/certs";
  std::string cert_service_name = "gatekeeper-webhook-service";
  bool disable_cert_rotation = false;
  bool enable_tls_healthcheck = false;
  std::string tls_min_version = "1.3";
  std::string client_ca_name;
  std::string client_cn_name = "kube-apiserver";
  std::string validating_webhook_configuration_name = "gatekeeper-validating-webhook-configuration";
  std::string mutating_webhook_configuration_name = "gatekeeper-mutating-webhook-configuration";
  std::string additional_validating_webhook_configs;
  std::string additional_mutating_webhook_configs;
  // Webhook.
  std::vector<std::string> exempt_namespaces;
  std::vector<std::string> exempt_namespace_prefixes;
  std::vector<std::string> exempt_namespace_suffixes;
  std::int64_t max_serving_threads = -1;
  bool log_denies = false;
  bool log_stats_admission = false;
  bool emit_admission_events = false;
  bool admission_events_involved_namespace = false;
  bool disable_enforcement_action_validation = false;
  // Audit.
  std::int64_t audit_interval = 60;
  std::int64_t constraint_violations_limit = 20;
  std::int64_t audit_chunk_size = 500;
  bool audit_from_cache = false;
  bool audit_match_kind_only = false;
  bool emit_audit_events = false;
  bool audit_events_involved_namespace = false;
  bool log_stats_audit = false;
  std::string api_cache_dir = "/tmp/audit";
  bool enable_violation_export = false;
  bool enable_admission_violation_export = false;
  std::string audit_connection = "audit-connection";
  std::string audit_channel = "audit-channel";
  // Engines.
  bool enable_k8s_native_validation = true;
  std::string default_native_validation_failure_policy = "Fail";
  bool default_create_vap_for_templates = true;
  bool default_create_vap_binding_for_constraints = true;
  std::int64_t default_wait_for_vapb_generation = 30;
  bool sync_vap_enforcement_scope = true;
  bool enable_referential_rules = true;
  std::int64_t max_inventory_bytes = std::int64_t{1} << 30;
  std::vector<std::string> disabled_opa_builtins;
  bool enable_external_data = true;
  std::chrono::nanoseconds external_data_cache_ttl = std::chrono::minutes{3};
  bool enable_generator_resource_expansion = true;
  bool enable_mutation = false;
  bool log_mutations = false;
  bool mutation_annotations = false;
  // Life cycle.
  std::int64_t readiness_retries = 0;
  std::int64_t shutdown_delay = 10;
  bool enable_pprof = false;
  std::int64_t pprof_port = 6060;
  bool enable_remote_cluster = false;
  std::string kubeconfig;
  bool debug_use_fake_pod = false;
  // Beyond Gatekeeper. Off by default, but for the inventory's bound.
  std::vector<std::string> audit_schedules;
  std::string audit_time_zone;
  std::string audit_request_annotation;
  bool constraint_metrics = false;
  bool log_explanations = false;
  std::int64_t constraint_metrics_limit = 500;
  // From the environment: POD_NAME, POD_NAMESPACE.
  std::string pod_name;
  std::string pod_namespace = "gatekeeper-system";
};

void declare_manager_flags(GoFlags& flags, ManagerOptions& options);

}  // namespace portcullis::cmd
