#include "engine/shard/holder_search.hpp"

#include <algorithm>
#include <ranges>

namespace netrunner::shard {
namespace {

constexpr std::int64_t slice_processor_ns = 500'000;
constexpr std::int64_t inquiry_max_ns = 1'000'000'000;

}  // namespace

HolderInquiry::HolderInquiry(HolderSearch& search, std::vector<OpenPipe> pipes, std::int64_t until_ns)
    : search_(search), pipes_(std::move(pipes)), until_ns_(until_ns) {}

HolderInquiry::~HolderInquiry() { search_.withdraw(*this); }

std::unique_ptr<HolderInquiry> HolderSearch::ask(std::vector<OpenPipe> pipes, std::int64_t now_ns) {
  auto inquiry = std::make_unique<HolderInquiry>(*this, std::move(pipes), now_ns + inquiry_max_ns);
  waiting_.push_back(inquiry.get());
  return inquiry;
}

void HolderSearch::withdraw(HolderInquiry& inquiry) {
  std::erase(waiting_, &inquiry);
  std::ranges::replace(answering_, &inquiry, nullptr);
}

void HolderSearch::begin(Scene scene) {
  answering_ = std::exchange(waiting_, {});
  places_.clear();
  told_ = 0;
  std::vector<std::uint64_t> keys;
  for (std::size_t i = 0; i < answering_.size(); ++i) {
    for (const OpenPipe& pipe : answering_[i]->pipes_) {
      places_.push_back({i, pipe.stream});
      keys.push_back(pipe.key);
    }
  }
  round_ = std::make_unique<os::PipeHolders>(keys, os::PipeHolders::Bounds{.found_max = Ended::holders_max});
  std::ranges::sort(scene.leaders);
  round_->begin_below(scene.shepherd, scene.leaders);
}

void HolderSearch::search_on() {
  if (round_ == nullptr) return;
  const bool over = round_->search_on(slice_processor_ns);
  tell_found();
  for (HolderInquiry*& inquiry : answering_) {
    if (inquiry == nullptr) continue;
    const bool has_all = std::ranges::all_of(inquiry->pipes_, [&](const OpenPipe& pipe) {
      return std::ranges::find(inquiry->found_, pipe.stream, &PipeHolder::stream) != inquiry->found_.end();
    });
    if (!over && !(has_all && round_->below_is_over())) continue;
    inquiry->answered_ = true;
    inquiry = nullptr;
  }
  const bool nobody_asks = std::ranges::all_of(answering_, [](const auto* inquiry) { return inquiry == nullptr; });
  if (over || nobody_asks) round_.reset();
}

void HolderSearch::tell_found() {
  for (const auto& found : round_->found() | std::views::drop(told_)) {
    const Place& place = places_[found.pipe];
    if (HolderInquiry* inquiry = answering_[place.inquiry]) {
      inquiry->found_.push_back({place.stream, found.pid, found.name});
    }
  }
  told_ = round_->found().size();
}

}  // namespace netrunner::shard
