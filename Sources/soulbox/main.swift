internal import ArgumentParser
internal import SoulBoxCommands

SoulBoxCommand.main()
