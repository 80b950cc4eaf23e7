#pragma once

#include <filesystem>
#include <string>

#include <pade/core/io/safetensors.h>

namespace pade {

/// Reads an array that numpy.save() wrote, of numbers or of booleans, which become tensors as those
/// of read_safetensors() do. Arrays in Fortran order are transposed.
///
/// Throws Error with the path and what is wrong: for other files, objects, structures, complex and
/// big-endian numbers, and when the file has fewer or more bytes than its header says.
Tensor read_npy(const std::filesystem::path& path);
/// The bytes of a file that numpy.load() reads.
std::string npy_file(const Tensor& tensor);
/// Writes that file, whole or not at all (write_file_atomically()).
void write_npy(const std::filesystem::path& path, const Tensor& tensor);

/// Reads the arrays that numpy.savez() or savez_compressed() wrote, by their names. Throws Error as
/// read_npy() does, and for archives that are damaged or have more than 4 GiB in an array.
NamedTensors read_npz(const std::filesystem::path& path);
/// Writes what numpy.load() reads, uncompressed. Throws Error for names that occur twice.
void write_npz(const std::filesystem::path& path, const NamedTensors& tensors);

}  // namespace pade
