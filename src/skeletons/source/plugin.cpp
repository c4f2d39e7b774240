/// Delivers the files named on the command line, in that order.
#include <stoq/plugin.hpp>

namespace {

class TemplateClass : public stoq::Source {
 public:
  void ingest(const stoq::Input& input, stoq::Intake& intake) override {
    for (const auto& path : input.paths) {
      stoq::Root root;
      root.path = path;
      root.file = path;
      if (!intake.put(std::move(root))) return;  // the run ends
    }
  }
};

}  // namespace

STOQ_PLUGIN(TemplateClass)
