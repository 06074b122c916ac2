"""Run the product's contract suite over the example: `pytest check_contract.py`, or `python check_contract.py`."""

from megapixel_inspector import create_inspector

from review_copilot.plugin import Inspector, InspectorOptions
from review_copilot.plugin.contract_suite import InspectorContract


class TestMegapixels(InspectorContract):
    """The suite calls `make_inspector` and checks what it promises."""

    def make_inspector(self) -> Inspector:
        """A fresh inspector."""
        return create_inspector(InspectorOptions())


if __name__ == "__main__":
    for name in (name for name in dir(TestMegapixels) if name.startswith("test_")):
        getattr(TestMegapixels(), name)()
        print(f"passed: {name}")
