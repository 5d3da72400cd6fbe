// A bounded cache from strings to folded rows, shared by threads.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace meprop {

// Keeps about `capacity` rows. A caller takes a ticket before it looks rows up. While the ticket is
// held, no row that was looked up with it, or since it was taken, is evicted. So the cache outgrows
// its capacity only if more rows than that are looked up while a ticket is held.
//
// A row whose key is long is forgotten as soon as no ticket can have it in use, so that keys take
// little memory beside rows, whatever texts are read.
//
// A row that is found but not yet filled counts as missing in every lookup until it is filled.
// Lookups that fill rows must not run concurrently; all other calls may.
class RowCache {
 public:
    using Ticket = std::int64_t;
    static constexpr std::size_t kLongestKey = 256; // bytes, of a row that is kept

    RowCache(std::int64_t width, std::int64_t capacity);

    Ticket take_ticket();
    void give_back(Ticket ticket);

    struct Missing {
        std::int32_t key; // index of its key
        std::int32_t row;
        float* values; // to be written
    };

    // Finds the rows of the keys, and lists each missing row once.
    void find(Ticket ticket, const std::vector<std::string_view>& keys,
              std::vector<const float*>& rows, std::vector<Missing>& missing);
    void mark_filled(const std::vector<Missing>& rows);
    // Gives up filling these rows. One that no other lookup is to fill is forgotten.
    void discard(const std::vector<Missing>& rows);

    std::int64_t width() const { return width_; }
    std::int64_t size();

 private:
    static constexpr std::int64_t kBlockRows = 64;
    static constexpr int kMaxUses = 4;

    struct Entry {
        std::string key;
        std::size_t hash = 0;
        std::int32_t next = -1;
        Ticket last_used = -1;
        bool linked = false; // found by its key
        bool filled = false;
        std::int32_t fillers = 0; // lookups in which it is missing, and which still may fill it
        std::int8_t uses = 0;     // lookups, up to kMaxUses; eviction rounds count it down
    };
    struct Free {
        void operator()(float* memory) const;
    };

    std::int32_t& bucket(std::size_t hash) { return buckets_[hash & (buckets_.size() - 1)]; }
    std::int32_t lookup(std::string_view key, std::size_t hash);
    std::int32_t make_room(bool& full);
    std::int32_t reuse();
    Ticket oldest_held() const { return held_.empty() ? next_ticket_ : *held_.begin(); }
    float* row(std::int32_t row) const;
    void unlink(std::int32_t row);
    void rehash();

    const std::int64_t width_, capacity_;
    std::vector<Entry> entries_;
    std::vector<std::int32_t> buckets_; // a power of two
    std::vector<std::int32_t> free_;
    std::vector<std::int32_t> long_; // the rows with long keys
    std::vector<std::unique_ptr<float, Free>> blocks_;
    std::uint64_t random_ = 1;
    Ticket next_ticket_ = 0;
    std::set<Ticket> held_;
    std::mutex mutex_;
};

} // namespace meprop
