#include "rows/row_cache.hpp"

#include <cstdlib>
#include <functional>
#include <new>

namespace meprop {

void RowCache::Free::operator()(float* memory) const {
    std::free(memory);
}

RowCache::RowCache(std::int64_t width, std::int64_t capacity)
    : width_(width), capacity_(capacity), buckets_(256, -1) {}

RowCache::Ticket RowCache::take_ticket() {
    const std::lock_guard lock(mutex_);
    held_.insert(next_ticket_);
    return next_ticket_++;
}

void RowCache::give_back(Ticket ticket) {
    const std::lock_guard lock(mutex_);
    held_.erase(ticket);
    const Ticket oldest = oldest_held();
    for (std::size_t i = long_.size(); i-- > 0;) {
        const std::int32_t row = long_[i];
        if (entries_[static_cast<std::size_t>(row)].last_used >= oldest)
            continue;
        unlink(row); // from `long_` too
        free_.push_back(row);
    }
}

void RowCache::find(Ticket ticket, const std::vector<std::string_view>& keys,
                    std::vector<const float*>& rows, std::vector<Missing>& missing) {
    const std::lock_guard lock(mutex_);
    rows.resize(keys.size());
    missing.clear();
    bool full = false;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const std::size_t hash = std::hash<std::string_view>{}(keys[i]);
        std::int32_t number = lookup(keys[i], hash);
        if (number < 0) {
            number = make_room(full);
            Entry& entry = entries_[static_cast<std::size_t>(number)];
            entry.key = keys[i];
            entry.hash = hash;
            entry.linked = true;
            entry.next = bucket(hash);
            bucket(hash) = number;
            if (keys[i].size() > kLongestKey)
                long_.push_back(number);
        }
        Entry& entry = entries_[static_cast<std::size_t>(number)];
        float* values = row(number);
        // an unfilled row with this ticket is already in the list of missing rows
        if (!entry.filled && entry.last_used != ticket) {
            missing.push_back({static_cast<std::int32_t>(i), number, values});
            ++entry.fillers;
        }
        if (entry.last_used != ticket && entry.uses < kMaxUses)
            ++entry.uses;
        entry.last_used = ticket;
        rows[i] = values;
    }
}

void RowCache::mark_filled(const std::vector<Missing>& rows) {
    const std::lock_guard lock(mutex_);
    for (const Missing& missing : rows) {
        Entry& entry = entries_[static_cast<std::size_t>(missing.row)];
        entry.filled = true;
        --entry.fillers;
    }
}

void RowCache::discard(const std::vector<Missing>& rows) {
    const std::lock_guard lock(mutex_);
    for (const Missing& missing : rows) {
        Entry& entry = entries_[static_cast<std::size_t>(missing.row)];
        if (--entry.fillers > 0 || entry.filled)
            continue;
        unlink(missing.row);
        free_.push_back(missing.row);
    }
}

std::int64_t RowCache::size() {
    const std::lock_guard lock(mutex_);
    return static_cast<std::int64_t>(entries_.size() - free_.size());
}

float* RowCache::row(std::int32_t row) const {
    return blocks_[static_cast<std::size_t>(row / kBlockRows)].get() + row % kBlockRows * width_;
}

std::int32_t RowCache::lookup(std::string_view key, std::size_t hash) {
    for (std::int32_t row = bucket(hash); row >= 0;) {
        const Entry& entry = entries_[static_cast<std::size_t>(row)];
        if (entry.hash == hash && entry.key == key)
            return row;
        row = entry.next;
    }
    return -1;
}

// A row for a new entry: a discarded row, an evicted one, or a new one. `full` remembers that all
// rows are in use, so that a lookup searches in vain at most once.
std::int32_t RowCache::make_room(bool& full) {
    if (!free_.empty()) {
        const std::int32_t row = free_.back();
        free_.pop_back();
        return row;
    }
    const std::size_t n = entries_.size();
    if (static_cast<std::int64_t>(n) >= capacity_ && !full) {
        const std::int32_t row = reuse();
        if (row >= 0)
            return row;
        full = true;
    }
    if (n % kBlockRows == 0) {
        // 64 bytes: the size of the widest vectors and of a cache line
        const std::size_t bytes = static_cast<std::size_t>(kBlockRows * width_) * sizeof(float);
        auto* memory = static_cast<float*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64));
        if (!memory)
            throw std::bad_alloc();
        blocks_.emplace_back(memory);
    }
    entries_.emplace_back();
    if (entries_.size() > buckets_.size())
        rehash();
    return static_cast<std::int32_t>(n);
}

// Evicts a random row that is not in use, more likely one with few lookups, and returns it, or -1
// if there is none. Random, because evicting the oldest rows first would never hit when a file is
// read in a loop and needs slightly more rows than the cache holds.
std::int32_t RowCache::reuse() {
    const Ticket oldest = oldest_held();
    const std::size_t n = entries_.size();
    for (std::size_t tried = 0; tried < (kMaxUses + 2) * n; ++tried) {
        random_ = random_ * 6364136223846793005u + 1442695040888963407u;
        const std::size_t candidate = (random_ >> 33) % n;
        Entry& entry = entries_[candidate];
        if (entry.last_used >= oldest)
            continue;
        if (entry.uses > 1) {
            --entry.uses;
            continue;
        }
        const std::int32_t row = static_cast<std::int32_t>(candidate);
        unlink(row);
        return row;
    }
    return -1;
}

void RowCache::unlink(std::int32_t row) {
    Entry& entry = entries_[static_cast<std::size_t>(row)];
    std::int32_t* link = &bucket(entry.hash);
    while (*link != row)
        link = &entries_[static_cast<std::size_t>(*link)].next;
    *link = entry.next;
    entry.linked = entry.filled = false;
    entry.uses = 0;
    entry.last_used = -1;
    if (entry.key.size() > kLongestKey) {
        std::string().swap(entry.key); // its memory too
        std::erase(long_, row);
    }
}

void RowCache::rehash() {
    buckets_.assign(2 * buckets_.size(), -1);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        Entry& entry = entries_[i];
        if (!entry.linked)
            continue;
        entry.next = bucket(entry.hash);
        bucket(entry.hash) = static_cast<std::int32_t>(i);
    }
}

} // namespace meprop
