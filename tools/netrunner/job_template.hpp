#pragma once
/// A command with holes: `convert {} {.}.png`.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace netrunner::tool {

/// The replacement strings, as GNU parallel has them: {} {.} {/} {//} {/.} {#} {%}.
/// A value; any thread may expand it.
class JobTemplate {
 public:
  struct Job {
    std::string_view item;
    std::uint64_t sequence = 0;  ///< {#}: 1, 2, 3, ... in the order of the items.
    std::uint64_t slot = 0;      ///< {%}: from 1 to the number of jobs at a time; no two running jobs share one.
  };

  /// Not empty. Without any replacement string, {} is appended.
  explicit JobTemplate(const std::vector<std::string>& words);

  [[nodiscard]] std::vector<std::string> expand(const Job& job) const;

 private:
  enum class Hole : std::uint8_t { none, item, no_extension, base, folder, base_no_extension, sequence, slot };
  struct Piece {
    Hole hole = Hole::none;
    std::string text;  ///< Of Hole::none.
  };
  using Word = std::vector<Piece>;

  [[nodiscard]] static Word parse(std::string_view word, bool& any_hole);
  static void append(std::string& word, Hole hole, const Job& job);

  std::vector<Word> words_;
};

}  // namespace netrunner::tool
