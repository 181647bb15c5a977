#include "libs/sqlite/testing/fault_vfs.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstring>
#include <filesystem>

namespace ridestream::sqlite::testing {
namespace {

// SQLite allocates vfs->szOsFile bytes for each file: our struct, followed by the platform's file.
struct WrappedFile {
  sqlite3_file base;
  FaultVfs* faults;
  sqlite3_file* real;
  const char* path;  // Owned by SQLite while the file is open. Null for a temporary file.
};

WrappedFile* Wrapped(sqlite3_file* file) { return reinterpret_cast<WrappedFile*>(file); }
sqlite3_file* Real(sqlite3_file* file) { return Wrapped(file)->real; }

int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  const int code = Wrapped(file)->faults->BeforeWrite(static_cast<std::uint64_t>(size));
  return code != SQLITE_OK ? code : Real(file)->pMethods->xWrite(Real(file), bytes, size, offset);
}
int Sync(sqlite3_file* file, int flags) {
  int code = Wrapped(file)->faults->BeforeSync();
  if (code == SQLITE_OK) code = Real(file)->pMethods->xSync(Real(file), flags);
  if (code == SQLITE_OK && Wrapped(file)->path != nullptr) {
    Wrapped(file)->faults->AfterSync(Wrapped(file)->path);
  }
  return code;
}

// Forwards every other method unchanged.
template <auto kMethod, class... Arguments>
int Forward(sqlite3_file* file, Arguments... arguments) {
  return (Real(file)->pMethods->*kMethod)(Real(file), arguments...);
}
void ShmBarrier(sqlite3_file* file) { Real(file)->pMethods->xShmBarrier(Real(file)); }

using M = sqlite3_io_methods;
constexpr sqlite3_io_methods kMethods = {
    .iVersion = 2,  // Without memory-mapped I/O, which would bypass Write.
    .xClose = Forward<&M::xClose>,
    .xRead = Forward<&M::xRead, void*, int, sqlite3_int64>,
    .xWrite = Write,
    .xTruncate = Forward<&M::xTruncate, sqlite3_int64>,
    .xSync = Sync,
    .xFileSize = Forward<&M::xFileSize, sqlite3_int64*>,
    .xLock = Forward<&M::xLock, int>,
    .xUnlock = Forward<&M::xUnlock, int>,
    .xCheckReservedLock = Forward<&M::xCheckReservedLock, int*>,
    .xFileControl = Forward<&M::xFileControl, int, void*>,
    .xSectorSize = Forward<&M::xSectorSize>,
    .xDeviceCharacteristics = Forward<&M::xDeviceCharacteristics>,
    .xShmMap = Forward<&M::xShmMap, int, int, int, void volatile**>,
    .xShmLock = Forward<&M::xShmLock, int, int, int>,
    .xShmBarrier = ShmBarrier,
    .xShmUnmap = Forward<&M::xShmUnmap, int>,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

}  // namespace

struct FaultVfs::Impl {
  sqlite3_vfs vfs;
  sqlite3_vfs* real;
  FaultVfs* faults;

  static int Delete(sqlite3_vfs* vfs, const char* name, int sync_folder) {
    auto* impl = static_cast<Impl*>(vfs->pAppData);
    const int code = impl->real->xDelete(impl->real, name, sync_folder);
    if (code == SQLITE_OK) impl->faults->AfterDelete(name);
    return code;
  }
  static int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
    auto* impl = static_cast<Impl*>(vfs->pAppData);
    WrappedFile* wrapped = Wrapped(file);
    wrapped->faults = impl->faults;
    wrapped->path = name;
    wrapped->real = reinterpret_cast<sqlite3_file*>(wrapped + 1);
    std::memset(wrapped->real, 0, static_cast<size_t>(impl->real->szOsFile));
    const int code = impl->real->xOpen(impl->real, name, wrapped->real, flags, out);
    // SQLite closes a file if and only if it has methods.
    wrapped->base.pMethods = wrapped->real->pMethods == nullptr ? nullptr : &kMethods;
    return code;
  }
};

FaultVfs::FaultVfs() : name_(fmt::format("fault-{}", fmt::ptr(this))), impl_(new Impl) {
  impl_->real = sqlite3_vfs_find(nullptr);
  impl_->faults = this;
  impl_->vfs = *impl_->real;
  impl_->vfs.pNext = nullptr;
  impl_->vfs.zName = name_.c_str();
  impl_->vfs.pAppData = impl_;
  impl_->vfs.szOsFile = static_cast<int>(sizeof(WrappedFile)) + impl_->real->szOsFile;
  impl_->vfs.xOpen = Impl::Open;
  impl_->vfs.xDelete = Impl::Delete;
  sqlite3_vfs_register(&impl_->vfs, 0);
}

FaultVfs::~FaultVfs() {
  sqlite3_vfs_unregister(&impl_->vfs);
  delete impl_;
}

void FaultVfs::FailSyncs(bool fail) {
  MutexLock lock(mu_);
  fail_syncs_ = fail;
}

void FaultVfs::FailWrites(bool fail) {
  MutexLock lock(mu_);
  fail_writes_ = fail;
}

void FaultVfs::LeaveRoom(std::uint64_t bytes) {
  MutexLock lock(mu_);
  room_ = bytes;
}

void FaultVfs::KeepSynced(const std::string& folder) {
  MutexLock lock(mu_);
  synced_folder_ = folder;
}

void FaultVfs::HoldSyncs() {
  MutexLock lock(mu_);
  hold_syncs_ = true;
}

void FaultVfs::AwaitHeldSync() {
  MutexLock lock(mu_);
  while (held_ == 0) changed_.Wait(mu_);
}

void FaultVfs::ReleaseSyncs() {
  MutexLock lock(mu_);
  hold_syncs_ = false;
  changed_.SignalAll();
}

int FaultVfs::BeforeSync() {
  MutexLock lock(mu_);
  ++held_;
  if (hold_syncs_) changed_.SignalAll();
  while (hold_syncs_) changed_.Wait(mu_);
  --held_;
  return fail_syncs_ ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

void FaultVfs::AfterSync(const std::string& path) {
  MutexLock lock(mu_);
  if (synced_folder_.empty()) return;
  const std::filesystem::path from(path);
  std::filesystem::copy_file(from, std::filesystem::path(synced_folder_) / from.filename(),
                             std::filesystem::copy_options::overwrite_existing);
}

void FaultVfs::AfterDelete(const std::string& path) {
  MutexLock lock(mu_);
  if (synced_folder_.empty()) return;
  std::filesystem::remove(std::filesystem::path(synced_folder_) /
                          std::filesystem::path(path).filename());
}

int FaultVfs::BeforeWrite(std::uint64_t bytes) {
  MutexLock lock(mu_);
  if (fail_writes_) return SQLITE_IOERR_WRITE;
  if (bytes > room_) return SQLITE_FULL;
  if (room_ != std::numeric_limits<std::uint64_t>::max()) room_ -= bytes;
  return SQLITE_OK;
}

}  // namespace ridestream::sqlite::testing
