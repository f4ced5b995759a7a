// Lines, the comments between and behind them, and sequences that break into lines where the source did.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "engine/rego/format/walk.h"
#include "engine/rego/format/writer.h"
#include "engine/rego/syntax/keywords.h"

namespace portcullis::rego::format {
namespace {

constexpr std::size_t kShownComment = 100;  // bytes of a comment in a message

std::string shortened(const Comment& comment) {
  const std::string text = shown(comment);
  return text.size() > kShownComment ? text.substr(0, kShownComment - 2) + "..." : text;
}

Fault in_the_way(const Comment& comment, const Comment* existing) {
  std::string message = "unexpected new comment (" + shortened(comment) + ") on line " +
                        std::to_string(comment.location.row) + " because there is already a comment (";
  if (existing != nullptr) message += shortened(*existing);
  message += ") registered for line " + std::to_string(existing != nullptr ? existing->location.row : 0);
  return {Fault::Kind::kComment, std::move(message)};
}

bool begins_metadata(const Comment& comment) {
  return comment.location.column == 1 && text::starts_with(text::trim(comment.text), "METADATA");
}

bool by_place(const Location& a, const Location& b) { return a.row != b.row ? a.row < b.row : a.column < b.column; }

}  // namespace

std::string shown(const Comment& comment) { return "#" + comment.text; }

std::int64_t newlines(std::string_view text) { return std::count(text.begin(), text.end(), '\n'); }

std::int64_t end_row(const Location& where) { return where.row + newlines(where.text); }

std::int64_t closing_row(char skip_open, char skip_close, char open, char close, const Location& where) {
  const std::string_view text = where.text;
  std::size_t at = 0;
  std::int64_t rows = 0;
  // Moves from the first `opening` to what closes it; false when the text ends before.
  const auto pass = [&](char opening, char closing) {
    while (at < text.size() && text[at] != opening) ++at;
    for (int depth = 1; depth > 0;) {
      if (++at >= text.size()) return false;
      if (text[at] == opening) {
        ++depth;
      } else if (text[at] == closing) {
        --depth;
      } else if (text[at] == '\n') {
        ++rows;
      }
    }
    return true;
  };
  if (skip_open != 0 && !pass(skip_open, skip_close)) return -1;
  return pass(open, close) ? where.row + rows : -1;
}

void Writer::start_line() {
  inline_ = true;
  text_.append(level_, '\t');
}

void Writer::end_line() {
  inline_ = false;
  if (at_line_end_ != nullptr && !delay_) {
    write(" ");
    write(shown(*at_line_end_));
    at_line_end_ = nullptr;
  }
  delay_ = false;
  write("\n");
}

void Writer::blank_line() {
  if (inline_) end_line();
  write("\n");
}

void Writer::line(std::string_view text) {
  if (!inline_) start_line();
  write(text);
  end_line();
}

bool Writer::down() {
  if (level_ == 0) {
    record({Fault::Kind::kOther, "negative indentation level"});
    return false;
  }
  --level_;
  return true;
}

void Writer::record(const Fault& fault) {
  if (fault && !fault.is_comment()) errors_.add("rego_format_error", {}, fault.message);
}

Fault Writer::drop(Comments& comments, Fault fault) {
  comments = {};
  return fault;
}

void Writer::write_comments(Comments comments) {
  bool in_metadata = false;
  for (std::size_t i = 0; i < comments.size(); ++i) {
    if (i > 0) {
      const std::uint32_t before = comments[i - 1]->location.row;
      const std::uint32_t row = comments[i]->location.row;
      if (row > before + 1) {
        blank_line();
        in_metadata = false;
      } else if (row == before + 1 && in_metadata && begins_metadata(*comments[i])) {
        blank_line();
      }
    }
    if (begins_metadata(*comments[i])) in_metadata = true;
    line(shown(*comments[i]));
  }
}

// Writes what stands above `row`, and keeps the comment on it for the end of the line.
Fault Writer::insert_comments(Comments& comments, std::int64_t row) {
  std::size_t before = 0;
  while (before < comments.size() && comments[before]->location.row < row) ++before;
  std::size_t after = before;
  while (after < comments.size() && comments[after]->location.row == row) ++after;
  const Comment* at = after > before ? comments[after - 1] : nullptr;
  const Comments above = comments.first(before);
  comments = comments.subspan(after);
  write_comments(above);
  if (!above.empty() && row - above.back()->location.row > 1) blank_line();
  return before_line_end(at);
}

Fault Writer::before_line_end(const Comment* comment) {
  if (at_line_end_ == nullptr) {
    at_line_end_ = comment;
    return {};
  }
  if (comment == nullptr) return {};
  return in_the_way(*comment, std::exchange(at_line_end_, nullptr));
}

// Keeps the source of something as it stands, with the comments inside of it.
Fault Writer::unformatted(const Location& where, Comments& comments) {
  if (where.text.empty()) return drop(comments, {Fault::Kind::kOther, "original unformatted text is empty"});
  write(where.text);
  const std::int64_t last = end_row(where);
  std::vector<const Comment*> kept;
  for (const Comment* comment : comments) {
    const std::int64_t row = comment->location.row;
    if (comment_on_final_line_ && row == last) {
      write(" ");
      write(comment->location.text);
    } else if (row >= last) {
      kept.push_back(comment);
    }
  }
  comment_lists_.push_back(std::move(kept));
  comments = comment_lists_.back();
  return {};
}

// Breaks a sequence into lines as the source did. Where rows say nothing (terms that nobody wrote) it is one line.
Writer::Lines Writer::group(std::vector<Item> items, const Location& after) const {
  const bool unknown = std::any_of(items.begin(), items.end(), [](const Item& item) {
    return item.value == nullptr && any_term(*item.term, has_no_place);
  });
  if (unknown) return {std::move(items)};
  std::stable_sort(items.begin(), items.end(),
                   [](const Item& a, const Item& b) { return by_place(a.term->location, b.term->location); });
  Lines lines(1);
  std::uint32_t row = after.row;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::uint32_t next = items[i].term->location.row;
    if (next > row && i > 0) lines.emplace_back();
    row = next;
    lines.back().push_back(items[i]);
  }
  return lines;
}

Fault Writer::sequence(std::vector<Item> items, const Location& opening, std::int64_t closing, Comments& comments,
                       ListKind kind) {
  const Lines lines = group(std::move(items), opening);
  bool multiline = lines.size() > 1;
  if (!multiline) {
    for (const Comment* comment : comments) {
      const std::int64_t row = comment->location.row;
      if (row > opening.row && row < closing) return in_the_way(*comment, nullptr);
    }
    if (!lines[0].empty()) {
      // A newline before the first item breaks the sequence, too.
      const std::size_t cut = opening.text.find(lines[0][0].term->location.text);
      if (cut != std::string_view::npos && cut > 0) {
        const std::size_t newline = opening.text.substr(0, cut).find('\n');
        multiline = newline != std::string_view::npos && newline > 0;
      }
    }
  }
  if (multiline) {
    delay_ = true;
    end_line();
    up();
    start_line();
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) {
      write(",");
      end_line();
      start_line();
    }
    if (Fault fault = sequence_line(lines[i], comments, kind)) return drop(comments, std::move(fault));
  }
  if (!multiline) return {};
  write(",");
  end_line();
  if (Fault fault = insert_comments(comments, closing)) return drop(comments, std::move(fault));
  if (level_ == 0) return drop(comments, {Fault::Kind::kOther, "negative indentation level"});
  --level_;
  start_line();
  return {};
}

Fault Writer::sequence_line(const std::vector<Item>& items, Comments& comments, ListKind kind) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) write(", ");
    Fault fault = item(items[i], comments, kind);
    if (!fault) continue;
    return i + 1 < items.size() ? drop(comments, std::move(fault)) : fault;
  }
  return {};
}

Fault Writer::item(const Item& item, Comments& comments, ListKind kind) {
  if (kind != ListKind::kPairs) {
    const bool parens =
        is_union(*item.term) && (kind == ListKind::kMembers || begins_with_parenthesis(item.term->location));
    if (parens) write("(");
    Fault fault = term(*item.term, comments);
    if (parens) write(")");
    return fault;
  }
  const bool key_parens = is_union(*item.term);
  if (key_parens) write("(");
  if (Fault fault = term(*item.term, comments)) return drop(comments, std::move(fault));
  if (key_parens) write(")");
  write(": ");
  const bool parens = is_union(*item.value);
  if (parens) write("(");
  Fault fault = term(*item.value, comments);
  if (parens) write(")");
  return fault;
}

std::string Writer::take_text() {
  if (text::ends_with(text_, "\n")) {
    while (text::ends_with(text_, "\n")) text_.pop_back();
    text_ += '\n';
  }
  return std::move(text_);
}

}  // namespace portcullis::rego::format
