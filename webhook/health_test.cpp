// The texts of /healthz and /readyz.
#include "webhook/health.h"

#include <gtest/gtest.h>

namespace portcullis::webhook {
namespace {

class Health : public testing::Test {
 protected:
  Health() {
    handler_.add_readiness("tracker", [this] { return missing_; });
    handler_.add_readiness("tls-check", nullptr);
  }
  std::string get(const char* target, int status) {
    net::HttpRequest request;
    request.target = target;
    net::HttpResponse response;
    EXPECT_TRUE(handler_.handle_now(request, response));
    EXPECT_EQ(response.status, status) << target;
    return response.body;
  }
  std::vector<std::string> missing_;
  HealthHandler handler_;
};

TEST_F(Health, SaysOkInOneWord) {
  EXPECT_EQ(get("/healthz", 200), "ok");
  EXPECT_EQ(get("/readyz", 200), "ok");
  EXPECT_EQ(get("/readyz/tracker", 200), "ok");
}

TEST_F(Health, ListsChecksWhenAsked) {
  EXPECT_EQ(get("/readyz?verbose", 200), "[+]tls-check ok\n[+]tracker ok\nhealthz check passed\n");
  EXPECT_EQ(get("/healthz?verbose", 200), "[+]default ok\nhealthz check passed\n");
}

TEST_F(Health, NamesWhatIsMissing) {
  missing_ = {"ConstraintTemplate/a", "K8sFoo/bar"};
  EXPECT_EQ(get("/readyz", 500), "[+]tls-check ok\n[-]tracker failed: reason withheld\nhealthz check failed\n");
  EXPECT_EQ(get("/readyz?verbose", 500),
            "[+]tls-check ok\n[-]tracker failed: reason withheld\n    ConstraintTemplate/a\n    K8sFoo/bar\n"
            "healthz check failed\n");
  EXPECT_EQ(get("/readyz/tracker", 500), "internal server error: expectations not satisfied\n");
}

TEST_F(Health, NotesFailNothingAndAreOnlyShownWhenAsked) {
  handler_.add_readiness("data", nullptr, [] { return std::vector<std::string>{"data x.io/v1/Thing: not served"}; });
  EXPECT_EQ(get("/readyz", 200), "ok");
  EXPECT_EQ(get("/readyz/data", 200), "ok");
  EXPECT_EQ(get("/readyz?verbose", 200),
            "[+]data ok\n    note: data x.io/v1/Thing: not served\n[+]tls-check ok\n[+]tracker ok\n"
            "healthz check passed\n");
}

TEST_F(Health, EverythingElseIsNotFound) {
  EXPECT_EQ(get("/", 404), "404 page not found\n");
  EXPECT_EQ(get("/livez", 404), "404 page not found\n");
  EXPECT_EQ(get("/readyz/nope", 404), "404 page not found\n");
}

}  // namespace
}  // namespace portcullis::webhook
