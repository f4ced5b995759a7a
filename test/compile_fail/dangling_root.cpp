// A Value must not be taken from a Document that is about to die.
#include "engine/value/document.h"

using portcullis::Document;
using portcullis::Value;

Value keep(const Document& document) { return document.root(); }

#ifdef PC_MUST_FAIL
Value dangle() { return Document::copy_of(Value::null()).root(); }
#endif
