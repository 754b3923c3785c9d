// The form of the config file: what each line sets, and what is refused with the number of its line.
#include "server/config_file.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace lockd::server {
namespace {

// `name=value|value;` for each setting, or what it is refused with.
std::string read(const std::string& text) {
  std::istringstream file(text);
  std::string found;
  try {
    for (const CLI::ConfigItem& item : ConfigFile().from_config(file)) {
      found += item.name + "=" + CLI::detail::join(item.inputs, "|") + ";";
    }
  } catch (const CLI::FileError& error) {
    return error.what();
  }
  return found;
}

TEST(ConfigFileTest, settings_comments_and_blank_lines) {
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read("a = 1\n\n \t\n# b = 2\n; b = 2\n  c=3 # three\r\nd"), "a=1;c=3;d=true;");
  EXPECT_EQ(read("a = 1"), "a=1;");
  EXPECT_EQ(read("a =\nb = \"\"\n"), "a=;b=;");
}

TEST(ConfigFileTest, what_is_quoted_is_one_value) {
  EXPECT_EQ(read("a = \"x, y # z\"\nb = '\"'\n"), "a=x, y # z;b=\";");
  EXPECT_EQ(read("a = /run/x#y\n"), "a=/run/x#y;");
}

TEST(ConfigFileTest, several_values) {
  EXPECT_EQ(read("a = x, y, z\nb = x y\n"), "a=x|y|z;b=x|y;");
  EXPECT_EQ(read("a = [\"x\", 'y', z]\nb = 1\n"), "a=x|y|z;b=1;");
  EXPECT_EQ(read("a = [\n  x,  # the first\n  # none\n  [::1]:9,\n] # end\nb = 1\n"), "a=x|[::1]:9;b=1;");
  EXPECT_EQ(read("a = tcp://[::1]:9, y\n"), "a=tcp://[::1]:9|y;");
}

TEST(ConfigFileTest, a_setting_that_comes_again_is_refused) {
  EXPECT_EQ(read("a = 1\na = 2\n"), "2: a stands in line 1 already: keep one of the two");
  EXPECT_EQ(read("a\na\n"), "2: a stands in line 1 already: keep one of the two");
  EXPECT_EQ(read("a = [1]\n\na = [2]\n"), "3: a stands in line 1 already: keep one of the two");
  EXPECT_EQ(read("a = 1\nb = 2\na = 1\n"), "3: a stands in line 1 already: keep one of the two");
  EXPECT_EQ(read("a = [1,\n2]\n\nb = 2\na = 3"), "5: a stands in line 1 already: keep one of the two");
}

TEST(ConfigFileTest, what_is_not_closed_is_refused) {
  EXPECT_EQ(read("b = 1\na = [x, y\nc = 2\n"), "2: the list of a has no ] at its end");
  EXPECT_EQ(read("a = ["), "1: the list of a has no ] at its end");
  EXPECT_EQ(read("a = \"x\nb = \"y\"\n"), "1: a quote is not closed");
  EXPECT_EQ(read("a = ['x\n']\n"), "1: a quote is not closed");
}

TEST(ConfigFileTest, what_stands_where_nothing_may_is_refused) {
  EXPECT_EQ(read("a = [x] y\n"), "1: what stands behind the value of a?");
  EXPECT_EQ(read("a = \"x\"y\n"), "1: what stands behind \"x\"?");
  EXPECT_EQ(read("a = \"x\"]\n"), "1: what stands behind \"x\"?");
  EXPECT_EQ(read("a = [x]]\n"), "1: what stands behind the value of a?");
  EXPECT_EQ(read("a = [x] # y\nb = x] y\n"), "a=x;b=x]|y;");
}

TEST(ConfigFileTest, what_is_no_setting_is_refused) {
  EXPECT_EQ(read("\n[lockd]\na = 1\n"), "2: a section, but there are none");
  EXPECT_EQ(read("a = 1\n = 5\n"), "2: no setting before =");
  EXPECT_EQ(read("a = [ ]\n"), "1: the list of a is empty: leave the line out");
  EXPECT_EQ(read("--a = 1\n"), "1: no such setting: --a (it goes without dashes)");
}

}  // namespace
}  // namespace lockd::server
