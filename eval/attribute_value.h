#pragma once

#include <hdf5.h>

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace smoothlab::eval {

/// An attribute as what it is: a number, text, true or false, a list of these for an attribute of more than
/// one value. Null where there is none of this name, "(records)" or the like for a type that JSON lacks. Call
/// under an Hdf5Lock.
nlohmann::ordered_json attribute_value(hid_t object, const std::string& name);

/// All attributes of an object, by name.
nlohmann::ordered_json attribute_values(hid_t object);

}  // namespace smoothlab::eval
