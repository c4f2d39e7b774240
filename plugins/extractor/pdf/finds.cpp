#include "finds.hpp"

#include <utility>

namespace pdf {
namespace {

std::string name_of(QPDFObjGen place) { return place.unparse('.'); }

class Finder {
 public:
  explicit Finder(const stoq::Request& request) : request_(request) {}

  void look_at(QPDFObjectHandle object) {
    const auto place = object.getObjGen();
    if (object.isStream()) {
      finds_.push_back({object, name_of(place), {}, place});
      pending_.push_back(object.getDict());
    } else if (object.isDictionary() || object.isArray()) {
      pending_.push_back(object);
    }
    scripts_ = 0;
    // What an object refers to comes by itself: only what stands in it is looked into.
    while (!pending_.empty()) {
      auto part = std::move(pending_.back());
      pending_.pop_back();
      if (part.isDictionary()) {
        look_into(part, place);
      } else {
        for (auto& item : part.getArrayAsVector()) add_direct(item);
      }
    }
  }

  std::vector<Find> finish() {
    for (auto& find : finds_) {
      const auto name = names_.find(find.place);
      if (name == names_.end() || !find.object.isInitialized()) continue;
      find.name = name->second;
      find.is_attachment = true;
    }
    return std::move(finds_);
  }

 private:
  void look_into(QPDFObjectHandle dictionary, QPDFObjGen place) {
    if (request_.stop_requested()) throw stoq::LimitReached{"plugin_timeout"};
    for (auto& [key, item] : dictionary.getDictAsMap()) {
      if (key == "/JS" && item.isString()) add_script(item.getUTF8Value(), place);
      if (key == "/EF" && item.isDictionary()) add_files(dictionary, item);
      add_direct(item);
    }
  }

  void add_direct(QPDFObjectHandle item) {
    if (item.isIndirect()) return;
    if (item.isDictionary() || item.isArray()) pending_.push_back(std::move(item));
  }

  void add_script(std::string script, QPDFObjGen place) {
    if (script.empty()) return;
    ++scripts_;
    auto name = name_of(place) + (scripts_ > 1 ? "." + std::to_string(scripts_) : "") + ".js";
    finds_.push_back({{}, std::move(name), std::move(script), place});
  }

  /// A file specification names the streams of its file.
  void add_files(QPDFObjectHandle specification, QPDFObjectHandle files) {
    for (const auto* key : {"/UF", "/F", "/Unix", "/DOS", "/Mac"}) {
      std::string name;
      if (!specification.getKey(key).getValueAsUTF8(name) || name.empty()) continue;
      for (auto& [version, file] : files.getDictAsMap()) {
        if (file.isIndirect()) names_.emplace(file.getObjGen(), name);
      }
      return;
    }
  }

  const stoq::Request& request_;
  std::vector<QPDFObjectHandle> pending_;
  std::vector<Find> finds_;
  std::map<QPDFObjGen, std::string> names_;
  unsigned scripts_ = 0;
};

}  // namespace

std::vector<Find> find_all(const std::vector<QPDFObjectHandle>& objects,
                           const stoq::Request& request) {
  Finder finder(request);
  for (const auto& object : objects) finder.look_at(object);
  return finder.finish();
}

}  // namespace pdf
