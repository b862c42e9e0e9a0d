public import SoulBoxStore

extension ExecutionStore: ExecutionRepository {}
