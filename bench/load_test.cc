// What the load generator sends and takes for an answer, without a server.
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench/dialect.h"
#include "bench/floor_replies.h"
#include "bench/script.h"

namespace lockd::bench {
namespace {

const std::string key = "load-00007-0000000000";

std::string texts_of(const Exchange& exchange) { return exchange.request + exchange.yes + exchange.no; }

TEST(BenchDialect, SpeaksLockd) {
  EXPECT_EQ(texts_of(exchange(Dialect::lockd, Operation::acquire, "k")),
            "g k\n1 Lock Get Success: k\n0 Lock Get Failure: k\n");
  EXPECT_EQ(texts_of(exchange(Dialect::lockd, Operation::acquire_wait, "k")),
            "gw 60000 k\n1 Lock Get Success: k\n0 Lock Get Timeout: k\n");
  EXPECT_EQ(texts_of(exchange(Dialect::lockd, Operation::release, "k")),
            "r k\n1 Lock Release Success: k\n0 Lock Release Failure: k\n");
  EXPECT_EQ(texts_of(exchange(Dialect::lockd, Operation::inspect, "k")),
            "i k\n1 Lock Is Locked: k\n0 Lock Not Locked: k\n");
  EXPECT_EQ(exchange(Dialect::lockd, Operation::share, "k", 12).yes, "12 Shared Lock Get Success: k\n");
  EXPECT_EQ(exchange(Dialect::lockd, Operation::unshare, "k").yes, "1 Shared Lock Release Success: k\n");
  EXPECT_EQ(exchange(Dialect::lockd, Operation::inspect_shared, "k", 3).yes, "3 Shared Lock Is Locked: k\n");
}

TEST(BenchDialect, SpeaksMemcached) {
  EXPECT_EQ(texts_of(exchange(Dialect::memcached, Operation::acquire, "k")),
            "add k 0 0 1\r\n1\r\nSTORED\r\nNOT_STORED\r\n");
  EXPECT_EQ(texts_of(exchange(Dialect::memcached, Operation::release, "k")), "delete k\r\nDELETED\r\nNOT_FOUND\r\n");
  EXPECT_EQ(texts_of(exchange(Dialect::memcached, Operation::inspect, "k")),
            "get k\r\nVALUE k 0 1\r\n1\r\nEND\r\nEND\r\n");
}

TEST(BenchDialect, SpeaksRedis) {
  EXPECT_EQ(texts_of(exchange(Dialect::redis, Operation::acquire, "abc")),
            "*4\r\n$3\r\nSET\r\n$3\r\nabc\r\n$1\r\n1\r\n$2\r\nNX\r\n+OK\r\n$-1\r\n");
  EXPECT_EQ(texts_of(exchange(Dialect::redis, Operation::release, "abc")),
            "*2\r\n$3\r\nDEL\r\n$3\r\nabc\r\n:1\r\n:0\r\n");
}

TEST(BenchDialect, PeersHaveNoOtherOperations) {
  for (const Dialect peer : {Dialect::memcached, Dialect::redis}) {
    EXPECT_THROW(exchange(peer, Operation::acquire_wait, "k"), std::invalid_argument);
    EXPECT_THROW(exchange(peer, Operation::share, "k"), std::invalid_argument);
  }
}

TEST(BenchScript, OneInFlightIsOneRequestInABatch) {
  const Script script = script_of({.depth = 1}, 7);
  ASSERT_EQ(script.loop.size(), 2);
  EXPECT_EQ(script.loop[0].requests, "g " + key + "\n");
  EXPECT_EQ(script.loop[0].exact, "1 Lock Get Success: " + key + "\n");
  EXPECT_EQ(script.loop[1].requests, "r " + key + "\n");
  EXPECT_EQ(script.loop[1].exact, "1 Lock Release Success: " + key + "\n");
}

TEST(BenchScript, EveryBatchIsFullAndEveryPairWhole) {
  for (const std::size_t depth : {2U, 3U, 16U, 100U}) {
    const Script script = script_of({.depth = depth, .keys = 7}, 0);
    std::string requests;
    for (const Batch& batch : script.loop) {
      EXPECT_EQ(batch.count, depth);
      requests += batch.requests;
    }
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < requests.size(); at = requests.find('\n', at) + 1) {
      lines.push_back(requests.substr(at, requests.find('\n', at) - at));
    }
    ASSERT_EQ(lines.size() % 2, 0);
    for (std::size_t i = 0; i < lines.size(); i += 2) EXPECT_EQ("g" + lines[i + 1].substr(1), lines[i]);
  }
}

TEST(BenchScript, AWaiterIsInLineAgainBeforeTheOtherOneIsGranted) {
  const Script first = script_of({.workload = Workload::waits, .connections = 4}, 2);
  const Script second = script_of({.workload = Workload::waits, .connections = 4}, 3);
  ASSERT_EQ(first.loop.size(), 1);
  EXPECT_EQ(first.loop[0].requests, second.loop[0].requests);
  EXPECT_EQ(first.loop[0].requests, "r load-00001-0000000000\ngw 60000 load-00001-0000000000\n");
  EXPECT_EQ(first.loop[0].count, 2);
}

TEST(BenchScript, ACrowdMayCountAllWhoAskForIt) {
  const Script script = script_of({.workload = Workload::crowd, .connections = 2, .holders = 10}, 0);
  ASSERT_EQ(script.loop.size(), 2);
  EXPECT_TRUE(script.loop[0].exact.empty());
  const std::string crowd(crowd_key);
  EXPECT_EQ(script.loop[0].replies.front(), (std::vector<std::string>{"11 Shared Lock Get Success: " + crowd + "\n",
                                                                      "12 Shared Lock Get Success: " + crowd + "\n"}));
}

TEST(BenchScript, AHoardIsTakenWholeBeforeItIsReleased) {
  const Script script = script_of({.workload = Workload::hoard, .depth = 2, .keys = 4}, 7);
  std::string verbs;
  std::set<std::string> batches;
  for (const Batch& batch : script.loop) {
    EXPECT_EQ(batch.count, 2);
    verbs += batch.requests.front();
    batches.insert(batch.requests);
  }
  EXPECT_EQ(verbs, "ggrr");
  EXPECT_EQ(batches.size(), 4);
  EXPECT_TRUE(script.opening.empty());
}

TEST(BenchScript, OnlyAPeersKeysAreReleasedBeforehandForOursGoWithTheirConnection) {
  for (const Workload workload : {Workload::own, Workload::hoard}) {
    EXPECT_TRUE(script_of({.workload = workload, .keys = 250}, 0).opening.empty());
    for (const Dialect peer : {Dialect::memcached, Dialect::redis}) {
      std::size_t released = 0;
      for (const Batch& batch : script_of({.dialect = peer, .workload = workload, .keys = 250}, 0).opening)
        released += batch.count;
      EXPECT_EQ(released, 250);
    }
  }
}

TEST(BenchFloor, AnswersLinesHoweverTheyAreCut) {
  std::string cut;
  std::string replies;
  std::string all;
  for (const std::string_view bytes : {"g a\nr a", " b\n", "pi", "ng\n"}) {
    answer_lines(bytes, cut, replies);
    all += replies;
  }
  EXPECT_EQ(all, "1 Lock Get Success: a\n1 Lock Release Success: a b\n1 pong\n");
  EXPECT_EQ(cut, "");
}

TEST(BenchScript, RefusesWhatMakesNoSense) {
  EXPECT_THROW(script_of({.workload = Workload::waits, .connections = 3}, 0), std::invalid_argument);
  EXPECT_THROW(script_of({.workload = Workload::waits, .depth = 2}, 0), std::invalid_argument);
  EXPECT_THROW(script_of({.workload = Workload::crowd_inspect}, 0), std::invalid_argument);
  EXPECT_THROW(script_of({.connections = 65, .hostile_keys = true}, 0), std::invalid_argument);
  EXPECT_THROW(script_of({.depth = 0}, 0), std::invalid_argument);
}

TEST(BenchKeys, HostileOnesCollideAndDiffer) {
  std::set<std::string> keys;
  std::set<std::uint64_t> hashes;
  for (std::size_t connection = 0; connection < 64; ++connection) {
    for (std::size_t number = 0; number < 16; ++number) {
      const std::string hostile = key_of(true, connection, number);
      EXPECT_EQ(hostile.size(), 21);
      keys.insert(hostile);
      std::uint64_t hash = 5381;
      for (const char byte : hostile) hash = 33 * hash + static_cast<unsigned char>(byte);
      hashes.insert(hash);
    }
  }
  EXPECT_EQ(keys.size(), 1'024);
  EXPECT_EQ(hashes.size(), 1);
  EXPECT_EQ(key_of(false, 3, 4).size(), 21);
}

TEST(BenchReplies, AreFoundWholeCutOrWrong) {
  const std::vector<std::string> replies{"STORED\r\n", "NOT_STORED\r\n"};
  EXPECT_EQ(match_reply(replies, "STORED\r\nSTO"), 8);
  EXPECT_EQ(match_reply(replies, "NOT_STORED\r\n"), 12);
  EXPECT_EQ(match_reply(replies, "NOT_ST"), 0);
  EXPECT_EQ(match_reply(replies, ""), 0);
  EXPECT_THROW(match_reply(replies, "NOT_FOUND"), std::runtime_error);
  EXPECT_THROW(match_reply(replies, "STORED\n"), std::runtime_error);
}

}  // namespace
}  // namespace lockd::bench
