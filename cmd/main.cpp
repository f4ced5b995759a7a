// One program, several names: `portcullis`, or what it is called as: manager, gator, opa.
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/command_line.h"
#include "cmd/explain_command.h"
#include "cmd/hook_command.h"
#include "cmd/manager.h"

namespace {

constexpr const char* kHelp =
    R"(Portcullis enforces policies on Kubernetes: ConstraintTemplates and constraints as Gatekeeper's, at a fraction of the cost.

Usage:
  portcullis <command> [arguments]

In the cluster:
  manager     run the controller: admission webhook, audit, status (takes Gatekeeper's flags)
  hook        apply CRDs, label a namespace, wait for the webhook: what the Helm chart's hooks call

On files or a cluster:
  explain     why is this object allowed or refused? which constraint, which field, which rule, how long

On files (as `gator`):
  test        review resources against templates and constraints
  verify      run suites of policy tests

Rego (as `opa`):
  opa eval    evaluate a query

  help        show this text          version     print the version

Examples:
  portcullis test -f policies/ -f pod.yaml        which of these objects break which policies?
  portcullis explain -f policies/ --review pod.yaml   and why?
  portcullis verify library/...                   do the policies pass their own tests?
  portcullis opa eval -d policy.rego -i input.json 'data.main.deny'
  portcullis manager --kubeconfig ~/.kube/config --debug-use-fake-pod --port 8443

Called through a link named manager, gator or opa, it behaves as that program: bin/gator, bin/opa, bin/manager.
`portcullis <command> --help` says more.
)";

std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

int unknown(const std::string& command) {
  std::fprintf(stderr, "portcullis: unknown command \"%s\"\nRun 'portcullis help' for the list.\n", command.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const std::string_view name = argc > 0 ? base_name(argv[0]) : "portcullis";
  if (name == "manager") {
    return portcullis::cmd::is_hook_command(arguments) ? portcullis::cmd::run_hook_command(arguments)
                                                       : portcullis::cmd::run_manager(arguments);
  }
  if (name == "gator") return portcullis::cmd::run_gator_command(arguments);
  if (name == "opa") return portcullis::cmd::run_opa_command(arguments);

  if (arguments.empty() || arguments[0] == "help" || arguments[0] == "--help" || arguments[0] == "-h") {
    std::fputs(kHelp, stdout);
    return 0;
  }
  const std::string command = arguments[0];
  if (command == "version" || command == "--version") {
    std::printf("portcullis %s\n", PC_VERSION);
    return 0;
  }
  std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (command == "manager") return portcullis::cmd::run_manager(rest);
  if (command == "explain") return portcullis::cmd::run_explain_command(rest);
  if (command == "hook") return portcullis::cmd::run_hook_command(rest);
  if (command == "opa") return portcullis::cmd::run_opa_command(rest);
  for (const std::string_view gator : {"test", "verify", "expand", "sync", "bench", "policy"}) {
    if (command == gator) return portcullis::cmd::run_gator_command(arguments);
  }
  return unknown(command);
}
