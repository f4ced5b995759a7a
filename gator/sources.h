// The objects that gator test works on: files, directories, standard input.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/value/document.h"
#include "gator/gator.h"

namespace portcullis::gator {

struct SourceObject {
  std::shared_ptr<const Document> document;
  Value object;  // numbers as float64
};

// Reads everything in order and warns on io.err about objects that are defined twice.
// Errors (kInvalid): "reading from filenames: …", "reading from stdin: …".
Result<std::vector<SourceObject>> read_sources(const std::vector<std::string>& filenames, const Io& io);

}  // namespace portcullis::gator
