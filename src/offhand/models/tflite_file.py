"""Writing networks as TensorFlow Lite files, with the schema that comes with ``ai-edge-litert``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

FORMAT_VERSION, FORMAT_NAME = 3, b"TFL3"
"""Of the file format, which all runtimes read."""

OPERATORS = {
    "Add": "ADD",
    "Conv2D": "CONV_2D",
    "DepthwiseConv2D": "DEPTHWISE_CONV_2D",
    "Reducer": "MEAN",
    "Reshape": "RESHAPE",
    "Softmax": "SOFTMAX",
}
"""Name in the format by the name of the options, for the operators that can be written."""


class NetworkWriter:
    """The parts of a network: operators in their order, tensors known by their number.

    Parameters
    ----------
    name
        Of the network.
    """

    def __init__(self, name: str) -> None:
        from ai_edge_litert import schema_py_generated

        self._schema: Any = schema_py_generated
        self._name = name
        self._tensors: list[Any] = []
        self._buffers: list[Any] = [self._part("Buffer")]  # the first one: computed, not stored
        self._codes: list[int] = []
        self._operators: list[Any] = []

    def tensor(self, name: str, shape: Sequence[int]) -> int:
        """Add a float32 tensor that is given or computed; return its number."""
        return self._add(name, shape, self._schema.TensorType.FLOAT32, 0)

    def constant(self, name: str, values: npt.NDArray[Any]) -> int:
        """Add a constant, int32 where ``values`` are whole numbers, else float32."""
        whole = values.dtype.kind == "i"
        types = self._schema.TensorType
        stored = np.ascontiguousarray(values, "<i4" if whole else "<f4")
        self._buffers.append(self._part("Buffer", data=stored.reshape(-1).view(np.uint8)))
        kind = types.INT32 if whole else types.FLOAT32
        return self._add(name, values.shape, kind, len(self._buffers) - 1)

    def operator(
        self, kind: str, name: str, inputs: Sequence[int], shape: Sequence[int], **options: Any
    ) -> int:
        """Append an operator; return the number of its output.

        Parameters
        ----------
        kind
            A key of :data:`OPERATORS`.
        name, shape
            Of its output.
        inputs
            Numbers of what it reads.
        **options
            Its options by their names in the schema; ``relu6=True`` clips its output to 0..6.
        """
        if options.pop("relu6", False):
            options["fusedActivationFunction"] = self._schema.ActivationFunctionType.RELU6
        code = getattr(self._schema.BuiltinOperator, OPERATORS[kind])
        if code not in self._codes:
            self._codes.append(code)
        output = self.tensor(name, shape)
        self._operators.append(
            self._part(
                "Operator",
                opcodeIndex=self._codes.index(code),
                inputs=list(inputs),
                outputs=[output],
                builtinOptionsType=getattr(self._schema.BuiltinOptions, f"{kind}Options"),
                builtinOptions=self._part(f"{kind}Options", **options),
            )
        )
        return output

    def serialise(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """Return the file of the network with these tensors as its inputs and outputs."""
        import flatbuffers

        graph = self._part(
            "SubGraph",
            name=self._name,
            tensors=self._tensors,
            inputs=list(inputs),
            outputs=list(outputs),
            operators=self._operators,
        )
        codes = [
            self._part("OperatorCode", deprecatedBuiltinCode=code, builtinCode=code)
            for code in self._codes
        ]
        model = self._part(
            "Model",
            version=FORMAT_VERSION,
            operatorCodes=codes,
            subgraphs=[graph],
            buffers=self._buffers,
        )
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), file_identifier=FORMAT_NAME)
        return bytes(builder.Output())

    def _add(self, name: str, shape: Sequence[int], kind: int, buffer: int) -> int:
        """Add a tensor; return its number."""
        tensor = self._part("Tensor", name=name, shape=list(shape), type=kind, buffer=buffer)
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def _part(self, kind: str, **fields: Any) -> Any:
        """Return a part of the schema with its fields set; older schemas take none at once."""
        part = getattr(self._schema, f"{kind}T")()
        for name, value in fields.items():
            if not hasattr(part, name):
                raise TypeError(f"{kind} has no field {name}")
            setattr(part, name, value)
        return part
