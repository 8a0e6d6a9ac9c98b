#include "models/safetensors.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "cluster/error.h"
#include "support/process.h"
#include "support/temporary_folder.h"

namespace smoothlab::models {
namespace {

std::string file_of(const std::string& header, const std::string& data) {
  std::string bytes(8, '\0');
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i) & 255);
  return bytes + header + data;
}

class Safetensors : public testing::Test {
 protected:
  std::string written(const std::string& bytes) {
    cluster::write_file_whole(*files_, folder_ / "x.safetensors", bytes);
    return folder_ / "x.safetensors";
  }
  std::string complaint(const std::string& bytes) {
    try {
      read_safetensors(*files_, written(bytes));
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("x.safetensors, byte "));
      return error.what();
    }
    return "none";
  }

  test::TemporaryFolder folder_;
  std::shared_ptr<cluster::FileSystem> files_ = cluster::local_file_system();
};

TEST_F(Safetensors, BringsBackEveryDtypeAndShape) {
  TensorFile file;
  for (const auto dtype :
       {at::kFloat, at::kDouble, at::kBFloat16, at::kHalf, at::kLong, at::kInt, at::kByte}) {
    file.tensors.emplace_back(std::string("t.") + c10::toString(dtype), (at::rand({2, 3}) * 100).to(dtype));
  }
  file.tensors.emplace_back("scalar", at::scalar_tensor(1.5));
  file.tensors.emplace_back("empty", at::empty({0, 3}));
  file.tensors.emplace_back("strided", at::rand({2, 3, 4, 5}).contiguous(at::MemoryFormat::ChannelsLast));
  file.metadata = {{"network", "mlp"}, {"quote\"d", "line\nbreak ü"}};
  const uint32_t crc = write_safetensors(*files_, folder_ / "a", file);
  const std::string bytes = files_->read(folder_ / "a");
  EXPECT_EQ(crc, cluster::checksum(bytes.data(), bytes.size()));

  const TensorFile back = read_safetensors(*files_, folder_ / "a");
  EXPECT_EQ(back.metadata, file.metadata);
  ASSERT_EQ(back.tensors.size(), file.tensors.size());
  for (size_t i = 0; i < file.tensors.size(); ++i) {
    const at::Tensor again = back.find(file.tensors[i].first);
    ASSERT_TRUE(again.defined()) << file.tensors[i].first;
    EXPECT_EQ(again.scalar_type(), file.tensors[i].second.scalar_type());
    EXPECT_TRUE(at::equal(again, file.tensors[i].second)) << file.tensors[i].first;
  }
  EXPECT_FALSE(back.find("missing").defined());
}

// Byte for byte what the public specification asks for.
TEST_F(Safetensors, WritesTheFormatOfTheSpecification) {
  TensorFile file;
  file.tensors.emplace_back("b", at::tensor({1.0F, -2.0F}).view({2, 1}));
  file.tensors.emplace_back("a", at::tensor({3}, at::kInt));
  file.metadata = {{"k", "v"}};
  write_safetensors(*files_, folder_ / "a", file);
  std::string header = R"({"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
                       R"("a":{"dtype":"I32","shape":[1],"data_offsets":[8,12]}})";
  header.append((8 - header.size() % 8) % 8, ' ');
  const std::string data("\x00\x00\x80\x3f\x00\x00\x00\xc0\x03\x00\x00\x00", 12);
  EXPECT_EQ(files_->read(folder_ / "a"), file_of(header, data));
}

TEST_F(Safetensors, IsReadByAnotherProgram) {
  if (test::run_process({"python3", "-c", "import struct, json"}).exit_code != 0)
    GTEST_SKIP() << "no python3";
  TensorFile file;
  file.tensors.emplace_back("w", at::arange(6, at::kFloat).view({2, 3}).t());
  file.metadata = {{"network", "mlp"}};
  write_safetensors(*files_, folder_ / "a", file);
  const auto result = test::run_process({"python3", "-c", R"(
import json, struct, sys
b = open(sys.argv[1], 'rb').read()
n, = struct.unpack('<Q', b[:8])
assert n % 8 == 0
h = json.loads(b[8:8 + n])
w = h['w']
begin, end = w['data_offsets']
assert 8 + n + end == len(b)
print(h['__metadata__']['network'], w['dtype'], w['shape'], struct.unpack('<6f', b[8 + n + begin:8 + n + end])))",
                                         folder_ / "a"});
  EXPECT_EQ(result.out, "mlp F32 [3, 2] (0.0, 3.0, 1.0, 4.0, 2.0, 5.0)\n") << result.err;
}

TEST_F(Safetensors, ReadsTensorsInAnyOrderOfTheHeader) {
  const std::string header =
      R"({"late":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},"early":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  const TensorFile file = read_safetensors(*files_, written(file_of(header, "abc")));
  ASSERT_EQ(file.tensors.size(), 2U);
  EXPECT_EQ(file.tensors[0].first, "early");
  EXPECT_EQ(file.find("late")[1].item<int>(), 'c');
}

// Whatever their order in the header, where an empty tensor stands at the offset of the next one.
TEST_F(Safetensors, ReadsAnEmptyTensorBesideAnotherAtTheSameOffset) {
  const std::string header =
      R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
      R"("c":{"dtype":"U8","shape":[1],"data_offsets":[2,3]},"d":{"dtype":"F32","shape":[3,0],"data_offsets":[2,2]}})";
  const TensorFile file = read_safetensors(*files_, written(file_of(header, "xyz")));
  ASSERT_EQ(file.tensors.size(), 4U);
  EXPECT_EQ(file.find("b").numel(), 0);
  EXPECT_EQ(file.find("c")[0].item<int>(), 'z');
  EXPECT_EQ(file.find("d").sizes(), (std::vector<int64_t>{3, 0}));
}

TEST_F(Safetensors, SaysWhatIsWrongAndWhere) {
  const auto with = [](const std::string& entry, const std::string& data) {
    return file_of("{\"a\":" + entry + "}", data);
  };
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "no header length"},
      {"1234567", "no header length"},
      {std::string("\xff\0\0\0\0\0\0\0{}", 10), "255 bytes long"},
      {std::string(8, '\xff') + "{}", "bytes long"},
      {file_of("{\"a\":", ""), "not JSON"},
      {file_of("[1]", ""), "not a JSON object"},
      {file_of("{}", "x"), "end at byte 10"},
      {with("3", ""), "lacks dtype"},
      {with(R"({"dtype":"F32","shape":[8e999],"data_offsets":[0,4]})", "1234"), "cannot be taken"},
      {with(R"({"dtype":"F32","shape":[1]})", "1234"), "lacks dtype"},
      {with(R"({"dtype":"F31","shape":[1],"data_offsets":[0,4]})", "1234"), "F31"},
      {with(R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})", "1234"), "impossible shape"},
      {with(R"({"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,4]})", "1234"),
       "impossible shape"},
      {with(R"({"dtype":"F32","shape":[1.5],"data_offsets":[0,4]})", "1234"), "impossible shape"},
      {with(R"({"dtype":"F32","shape":1,"data_offsets":[0,4]})", "1234"), "no list"},
      {with(R"({"dtype":"F32","shape":[1],"data_offsets":[0]})", "1234"), "no pair"},
      {with(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})", "1234"), "reaches"},
      {with(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})", "123"), "reaches data offset 4 of 3"},
      {with(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})", "12345"), "but the file at"},
      {with(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})", "1234"), "its shape needs 8"},
      {with(R"({"dtype":"U8","shape":[1],"data_offsets":[1,2]})", "12"), "begins at data offset 1, not 0"},
      {file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
               R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
               "123"),
       "begins at data offset 1, not 2"},
      {file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
               R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
               "1"),
       "two tensors are called \"a\""},
      {file_of(R"({"__metadata__":{"k":1}})", ""), "\"k\" is not a string"},
      {file_of(R"({"__metadata__":[]})", ""), "not an object"},
  };
  for (const auto& [bytes, reason] : cases) EXPECT_THAT(complaint(bytes), testing::HasSubstr(reason));
}

TEST_F(Safetensors, SeesEveryTruncation) {
  TensorFile file;
  file.tensors.emplace_back("w", at::rand({3}));
  write_safetensors(*files_, folder_ / "a", file);
  const std::string bytes = files_->read(folder_ / "a");
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_NE(complaint(bytes.substr(0, length)), "none") << length;
  }
}

TEST_F(Safetensors, RefusesToWriteWhatCouldNotBeRead) {
  TensorFile twice;
  twice.tensors = {{"w", at::rand({1})}, {"w", at::rand({1})}};
  EXPECT_THROW(write_safetensors(*files_, folder_ / "a", twice), UsageError);
  TensorFile complex;
  complex.tensors = {{"w", at::rand({1}).to(at::kComplexFloat)}};
  EXPECT_THROW(write_safetensors(*files_, folder_ / "a", complex), UsageError);
  EXPECT_FALSE(files_->exists(folder_ / "a"));
}

}  // namespace
}  // namespace smoothlab::models
