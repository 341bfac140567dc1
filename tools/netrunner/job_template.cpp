#include "tools/netrunner/job_template.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace netrunner::tool {
namespace {

std::string_view base_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// Up to the last '.' of the last component, if something follows it.
std::string_view without_extension(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  const std::size_t slash = path.rfind('/');
  const bool in_last_component = dot != std::string_view::npos && (slash == std::string_view::npos || dot > slash);
  return in_last_component && dot + 1 < path.size() ? path.substr(0, dot) : path;
}

/// As dirname(3) has it.
std::string_view folder_of(std::string_view path) {
  const auto without_slashes = [](std::string_view text) {
    while (text.size() > 1 && text.ends_with('/')) text.remove_suffix(1);
    return text;
  };
  path = without_slashes(path);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return without_slashes(path.substr(0, slash + 1));
}

}  // namespace

JobTemplate::JobTemplate(const std::vector<std::string>& words) {
  bool any_hole = false;
  for (const std::string& word : words) words_.push_back(parse(word, any_hole));
  if (!any_hole) words_.push_back({{Hole::item, ""}});
}

JobTemplate::Word JobTemplate::parse(std::string_view word, bool& any_hole) {
  static constexpr std::array<std::pair<std::string_view, Hole>, 7> holes = {{
      {"{}", Hole::item},
      {"{.}", Hole::no_extension},
      {"{/}", Hole::base},
      {"{//}", Hole::folder},
      {"{/.}", Hole::base_no_extension},
      {"{#}", Hole::sequence},
      {"{%}", Hole::slot},
  }};
  Word pieces;
  std::string text;
  while (!word.empty()) {
    const auto hole = std::ranges::find_if(holes, [word](const auto& known) { return word.starts_with(known.first); });
    if (hole == holes.end()) {
      text += word.front();
      word.remove_prefix(1);
      continue;
    }
    if (!text.empty()) pieces.push_back({Hole::none, std::exchange(text, {})});
    pieces.push_back({hole->second, ""});
    word.remove_prefix(hole->first.size());
    any_hole = true;
  }
  if (!text.empty() || pieces.empty()) pieces.push_back({Hole::none, std::move(text)});
  return pieces;
}

std::vector<std::string> JobTemplate::expand(const Job& job) const {
  std::vector<std::string> words;
  words.reserve(words_.size());
  for (const Word& pieces : words_) {
    std::string& word = words.emplace_back();
    for (const Piece& piece : pieces) {
      if (piece.hole == Hole::none) {
        word += piece.text;
      } else {
        append(word, piece.hole, job);
      }
    }
  }
  return words;
}

void JobTemplate::append(std::string& word, Hole hole, const Job& job) {
  switch (hole) {
    case Hole::none: break;
    case Hole::item: word += job.item; break;
    case Hole::no_extension: word += without_extension(job.item); break;
    case Hole::base: word += base_of(job.item); break;
    case Hole::folder: word += folder_of(job.item); break;
    case Hole::base_no_extension: word += without_extension(base_of(job.item)); break;
    case Hole::sequence: word += std::to_string(job.sequence); break;
    case Hole::slot: word += std::to_string(job.slot); break;
  }
}

}  // namespace netrunner::tool
