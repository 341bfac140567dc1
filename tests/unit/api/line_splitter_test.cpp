/// Bytes to lines, whatever the pieces in which they come.

#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include <netrunner/lines.hpp>

namespace netrunner {
namespace {

/// "[text]" with its end: n newline, r crlf, - none, + cut; and * in front where it continues.
std::string shown(const Line& line) {
  constexpr std::string_view ends = "nr-+";
  return (line.continues ? "*[" : "[") + std::string(line.text) + "]" + ends[static_cast<std::size_t>(line.end)];
}

std::string split(const std::vector<std::string>& pieces, std::size_t bytes_max) {
  LineSplitter splitter(bytes_max);
  std::string all;
  for (const std::string& piece : pieces) {
    splitter.feed(piece);
    while (const auto line = splitter.next()) all += shown(*line);
  }
  while (const auto line = splitter.finish()) all += shown(*line);
  return all;
}

TEST(LineSplitter, EndsAreNewlineAndCrlf) {
  EXPECT_EQ(split({"a\nb\r\nc\n"}, 100), "[a]n[b]r[c]n");
  EXPECT_EQ(split({"\n\r\n\n"}, 100), "[]n[]r[]n");
}

TEST(LineSplitter, ALoneReturnIsText) {
  EXPECT_EQ(split({"a\rb\n"}, 100), "[a\rb]n");
  EXPECT_EQ(split({"a\r"}, 100), "[a\r]-");
  EXPECT_EQ(split({"a\r\r\n"}, 100), "[a\r]r");
}

TEST(LineSplitter, TheLastLineMayHaveNoEnd) {
  EXPECT_EQ(split({"a\nlast"}, 100), "[a]n[last]-");
  EXPECT_EQ(split({"a\n"}, 100), "[a]n");
  EXPECT_EQ(split({}, 100), "");
}

TEST(LineSplitter, ALineOfExactlyTheBoundIsWhole) {
  EXPECT_EQ(split({"1234\n"}, 4), "[1234]n");
  EXPECT_EQ(split({"1234\r\n"}, 4), "[1234]r");
  EXPECT_EQ(split({"1234"}, 4), "[1234]-");
  EXPECT_EQ(split({"1234", "\r", "\n"}, 4), "[1234]r");
}

TEST(LineSplitter, ALongerOneComesInFlaggedPieces) {
  EXPECT_EQ(split({"12345\nx\n"}, 4), "[1234]+*[5]n[x]n");
  EXPECT_EQ(split({"12345678\n"}, 4), "[1234]+*[5678]n");
  EXPECT_EQ(split({"123456789"}, 4), "[1234]+*[5678]+*[9]-");
  EXPECT_EQ(split({"1234\rx\n"}, 4), "[1234]+*[\rx]n");
  EXPECT_EQ(split({"1234\r"}, 4), "[1234]+*[\r]-");
}

TEST(LineSplitter, TheBoundMayBeOneByte) { EXPECT_EQ(split({"ab\r\n\n"}, 1), "[a]+*[b]r[]n"); }

/// What the lines are does not depend on how the bytes came.
TEST(LineSplitter, HowTheBytesComeMakesNoDifference) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes;
    const std::size_t size = random() % 40;
    for (std::size_t i = 0; i < size; ++i) bytes += "ab\r\n"[random() % 4];
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t count = 1 + random() % 5;
      pieces.push_back(bytes.substr(at, count));
      at += count;
    }
    const std::size_t bytes_max = 1 + random() % 6;
    EXPECT_EQ(split(pieces, bytes_max), split({bytes}, bytes_max)) << "seed " << seed << " round " << round;
  }
}

TEST(LineSplitter, NoByteIsLost) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  std::string bytes;
  for (int i = 0; i < 100'000; ++i) bytes += "abcdefg\r\n"[random() % 9];
  for (const std::size_t bytes_max : {1, 2, 3, 7, 1000}) {
    LineSplitter splitter(bytes_max);
    splitter.feed(bytes);
    std::string again;
    const auto keep = [&](const Line& line) {
      EXPECT_LE(line.text.size(), bytes_max);
      again += line.text;
      if (line.end == LineEnd::newline) again += "\n";
      if (line.end == LineEnd::crlf) again += "\r\n";
    };
    while (const auto line = splitter.next()) keep(*line);
    while (const auto line = splitter.finish()) keep(*line);
    EXPECT_TRUE(again == bytes) << "seed " << seed << " bytes_max " << bytes_max;
  }
}

}  // namespace
}  // namespace netrunner
