/// Recognises filesystems and disks of virtual machines by their first bytes.
///
/// The kernel's filesystem drivers trust what they mount, so nothing that somebody else made is ever mounted.
enum FilesystemImage {
    /// How many bytes of a file are looked at.
    static let prefix = 0x10048

    private static let signatures: [(name: String, offset: Int, bytes: [UInt8])] = [
        ("ext2, ext3 or ext4", 0x438, [0x53, 0xEF]),
        ("erofs", 0x400, [0xE2, 0xE1, 0xF5, 0xE0]),
        ("squashfs", 0, Array("hsqs".utf8)), ("squashfs", 0, Array("sqsh".utf8)),
        ("cramfs", 0, [0x45, 0x3D, 0xCD, 0x28]),
        ("romfs", 0, Array("-rom1fs-".utf8)),
        ("f2fs", 0x400, [0x10, 0x20, 0xF5, 0xF2]),
        ("xfs", 0, Array("XFSB".utf8)),
        ("btrfs", 0x10040, Array("_BHRfS_M".utf8)),
        ("ISO 9660", 0x8001, Array("CD001".utf8)),
        ("LUKS", 0, Array("LUKS".utf8) + [0xBA, 0xBE]),
        ("qcow2", 0, Array("QFI".utf8) + [0xFB]),
        ("VMDK", 0, Array("KDMV".utf8)), ("VMDK", 0, Array("# Disk DescriptorFile".utf8)),
        ("VHDX", 0, Array("vhdxfile".utf8)), ("VHD", 0, Array("conectix".utf8)),
        ("VDI", 0x40, [0x7F, 0x10, 0xDA, 0xBE]),
        ("GPT disk", 0x200, Array("EFI PART".utf8)),
        ("FAT or MBR disk", 0x1FE, [0x55, 0xAA]),
    ]

    /// What a file that begins with these bytes is; nil when it is none of them.
    static func name(of bytes: [UInt8]) -> String? {
        signatures.first { signature in
            bytes.dropFirst(signature.offset).starts(with: signature.bytes)
        }?.name
    }
}
