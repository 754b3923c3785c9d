// What people are told to do about an error.
#include "server/reason.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace lockd::server {
namespace {

TEST(FileAdvice, says_what_to_do_about_each_kind_of_error) {
  struct Advice {
    int error;
    std::string text;
  };
  for (const auto& [error, text] : {
           Advice{ENOENT, ": make the folder, or take another path"},
           Advice{ENOTDIR, ": make the folder, or take another path"},
           Advice{EACCES, ": give lockd's user the right to it, or take another path"},
           Advice{EPERM, ": give lockd's user the right to it, or take another path"},
           Advice{ENOSPC, ": make room there, or take another path"},
           Advice{EDQUOT, ": make room there, or take another path"},
           Advice{EISDIR, ": take another path"},
           Advice{ELOOP, ": take another path"},
           Advice{ENAMETOOLONG, ": take another path"},
           Advice{EROFS, ": take another path"},
           Advice{EIO, ""},
       })
    EXPECT_EQ(file_advice(error), text) << error;
}

}  // namespace
}  // namespace lockd::server
