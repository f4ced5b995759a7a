// Whether everything that existed at start-up has been looked at once. Then ready for good: a replica that serves must
// not stop serving because somebody applies a bad policy.
// Threads: any. Cost of satisfied(): one atomic load once ready.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis::controller {

class ReadinessTracker {
 public:
  // A group is a list that must be complete before its members are known: "ConstraintTemplate", "K8sRequiredLabels" …
  // Expecting a group that was closed already changes nothing.
  void expect_group(std::string_view group);
  // The members of a group that exist at start. Closes the group: what appears later is not waited for.
  void set_members(std::string_view group, const std::vector<std::string>& members);
  // Nothing to wait for in this group (its kind is not served, its template is gone or broken).
  void drop_group(std::string_view group);
  // A member was loaded, or failed for good (`problem` says how; it is shown, not waited for), or vanished.
  void observe(std::string_view group, std::string_view member, std::string_view problem = {});
  // A trouble that is shown and never waited for (a kind that the cluster does not serve); an empty text takes it back.
  void note(std::string_view about, std::string_view problem);

  // True once all groups are closed and all their members observed.
  bool satisfied();
  // What is still waited for: "ConstraintTemplate: not listed yet", "constraint K8sFoo/bar". At most `limit`, then "and
  // N more".
  std::vector<std::string> missing(std::size_t limit = 20) const;
  // Members that failed to load and are not waited for: "K8sFoo/bar: <problem>".
  std::vector<std::string> problems(std::size_t limit = 20) const;

 private:
  struct Group {
    bool closed = false;
    std::set<std::string, std::less<>> waiting;
    std::set<std::string, std::less<>> seen_early;  // observed before the group was closed
  };
  mutable std::mutex mutex_;
  std::map<std::string, Group, std::less<>> groups_;
  std::map<std::string, std::string, std::less<>> problems_;
  std::atomic<bool> ready_{false};
};

}  // namespace portcullis::controller
