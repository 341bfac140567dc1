#include "engine/shard/holder_search.hpp"

#include <algorithm>
#include <utility>

namespace netrunner::shard {
namespace {

constexpr std::int64_t slice_processor_ns = 500'000;
constexpr std::int64_t slices_max = 400;
constexpr std::int64_t search_max_ns = 1'000'000'000;

std::vector<std::uint64_t> keys_of(const std::vector<OpenPipe>& pipes) {
  std::vector<std::uint64_t> keys;
  keys.reserve(pipes.size());
  for (const OpenPipe& pipe : pipes) keys.push_back(pipe.key);
  return keys;
}

}  // namespace

HolderSearch::HolderSearch(std::vector<OpenPipe> pipes, Scene scene, std::int64_t now_ns)
    : pipes_(std::move(pipes)),
      search_(keys_of(pipes_), {.found_max = Ended::holders_max}),
      until_ns_(now_ns + search_max_ns) {
  std::ranges::sort(scene.leaders);
  search_.search_below(scene.shepherd, scene.leaders);
}

bool HolderSearch::search_on(std::int64_t now_ns) {
  return search_.search_on(slice_processor_ns) || ++slices_ >= slices_max || now_ns >= until_ns_;
}

std::vector<PipeHolder> HolderSearch::found() const {
  std::vector<PipeHolder> holders;
  for (const auto& found : search_.found()) holders.push_back({pipes_[found.pipe].stream, found.pid, found.name});
  return holders;
}

}  // namespace netrunner::shard
