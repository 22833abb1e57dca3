/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* clang-format off */
/* The kinds of node a topology consists of, with the attributes each carries. Scanners write them,
 * policy reads them, test cases spell them out. A fact that nobody could find out is "unknown",
 * and unknown counts as no.
 *
 * host        "host", one per graph
 *             pre-remove=yes|no|unknown       MF_MEM_PRE_REMOVE in this kernel
 *             pre-remove-why=TEXT             the evidence
 *             shutdown=yes|no|unknown         the kernel shuts XFS and ext4 down when their disk goes
 *             shutdown-why=TEXT               the evidence
 *             processes=N                     processes of the machine (the kernel walks them all)
 *             open-gate=clean|taints          what asking for permission to open does to this kernel
 *             memory-available=BYTES          what RAM could be given up at once
 *             swap-free=BYTES                 of all swap; only where some was found
 *             arrays=whole|degraded|unknown   md arrays with redundancy that lack a disk
 *             arrays-why=TEXT                 the first that does, or of which nobody knows
 *             warn=TEXT                       hung_task_panic and friends, if set
 * bus         ndbus0      provider= sysfs=
 * dimm        nmem0       sysfs=  id=                                       on bus
 * region      region0     sysfs= size= numa= type= driver= (absent: disabled) on bus and its dimms
 * namespace   namespace0.0  sysfs= size= uuid= label= numa= mode=raw|fsdax|sector|devdax
 *             device=     the nd device that the driver is bound to: pfn0.0, btt0.0, dax0.0 or itself
 *             driver=     nd_pmem, dax_pmem; absent: disabled           on region
 *             removal=ID  a removal is working on it
 * block       pmem0, pmem0p1  dev=MAJ:MIN sysfs= size= dax=yes|no           on namespace or block
 * chardev     dax0.0      dev=MAJ:MIN driver=device_dax|kmem                on namespace
 * memory      dax0.0      it serves as RAM: what= start= size= (bytes) blocks=41-47 (numbers of memory blocks)
 *             movable=LIST kernel=LIST (those online, by zone) online=BYTES      on chardev
 * stacked     dm-0, md0   type=dm|md|unknown dev= sysfs= size= what=TEXT     on block or stacked
 *             loop0       type=loop, the same, and how it was set up:
 *                         file= offset= sizelimit= block-size= read-only= partscan= autoclear=
 *                         direct-io=                    on block, stacked or filesystem
 *             loop0       type=loop, the same           on block, stacked or filesystem
 *             dm: dm-name= dm-uuid= targets=WORDS devs=MAJ:MIN=NAME,... table=TEXT (no keys)
 *             read-only=yes suspended=yes     md: level= array-uuid= members=NAMES
 * leg         md0:pmem0   disk= dev= array= array-dev= array-uuid= level= role=in_sync|spare|...
 *             redundancy=N degraded=N can-lose=N sync-action=  an array that can do without it,
 *             and what stands on that, are no nodes                         on block or stacked
 * filesystem  pmem0       (named after its block device) type= uuid= label= dev=MAJ:MIN
 *             dax=yes|no  a DAX mapping can exist
 *             rmapbt=yes|no|unknown realtime=yes|no|unknown                  (xfs only)
 *             reach=N     bytes of all its allocation groups                 (xfs only)
 *             pages=N     upper bound of 4 KiB pages in DAX entries of cached inodes
 *             footing=TEXT  what of the machine's own footing stands on it; also of a mount whose
 *                         number is another one                      on block or stacked
 *             role=log,realtime  an XFS that has those on a disk of their own; on that disk as well
 *             overlay:MAJ:MIN  type=overlay dev=     on the filesystems of its layers
 * swap        pmem0       path= size= used= (bytes) priority= dev= swap-uuid= on block or stacked
 *             /PATH       a swap file, without dev=                     on filesystem
 * mount       ID          (mount id) target= dev= root= ns= ns-pid= options= fstype= source=
 *             unit=mnt-x.mount      a unit file that could mount it again
 *             automount=mnt-x.automount   and one that would do so on access
 *             fstab=waits  /etc/fstab has it without nofail: the next boot waits for it, and fails
 *             propagation=shared|private|unbindable  on filesystem, and on the mount below it
 *             ns-pid=0: no process is in that mount namespace; ns-id=N where the kernel tells
 *             foreign=yes uuid=  of other storage, on the mount that it is mounted on
 *             busy=yes    mounted on another mount, and used (where processes were scanned)
 * holder      NAME        something else that keeps a node busy: what=TEXT
 * process     PID         start= comm= unit= uses=dax,map,fd,cwd,root,exe,node,socket
 *                         example=PATH kernel=yes (a kernel thread) slice= container=ENGINE:ID
 *                         frozen=yes  its cgroup is frozen: of all signals it obeys SIGKILL only
 *                         pins=VmPin,VmLck,io_uring,vfio,rdma  on a chardev: devices may reach into
 *                                     its memory
 *                         session=TEXT  "session 3 of alice", "services of alice"
 *                                              on filesystem, mount, block, stacked or chardev
 * unit        db.service  a service of the machine's manager that some processes here are of:
 *                         state=active|activating|...|unknown restart=no|always|...
 *                         triggers=NAMES  sockets, timers and paths that would start it again
 *                         also=NAMES      what the manager would stop together with it
 *                         transient=yes   made by a call, and gone when it stops
 *                         refusal=SENTENCE  why the manager cannot stop it for good  on process
 *
 * holder nfsd:PATH   type=nfsd path= exports="CLIENT(OPTIONS) ..." command=TEXT and of the mount that
 *             the path lies on: id= dev= ns= ns-pid= target= fstype=           on mount
 *
 * hook        NAME        path=PROGRAM   of the site, in the order they run; on nothing, never in a
 *                         closure. blocker= here means that it cannot be trusted
 * inhibitor   ID          what an application says about removals (inhibitor.h), added to a snapshot by
 *             the planner, on nothing: target= (as spoken; "" everything) names=NAMES (namespaces and
 *             regions) who= why= mode=block|delay uid= pid=
 *
 * Any node may have blocker=SENTENCE: it must not or cannot be taken away, and how a person does it;
 * and note=SENTENCE: what is given up with it and does not come back, as marks of fanotify and quota
 * that was turned on by hand.
 */
/* clang-format on */

/* How much has to be free elsewhere for what is on swap to move there: more than that, for what is
 * compressed or shared on the area is larger outside, and whoever runs meanwhile needs some, too.
 */
#define SWAP_ROOM_KIB(used_kib) ((used_kib) + (used_kib) / 8 + UINT64_C(65536))

#define KIND_HOST "host"
#define KIND_BUS "bus"
#define KIND_DIMM "dimm"
#define KIND_REGION "region"
#define KIND_NAMESPACE "namespace"
#define KIND_BLOCK "block"
#define KIND_CHARDEV "chardev"
#define KIND_MEMORY "memory"
#define KIND_STACKED "stacked"
#define KIND_LEG "leg"
#define KIND_FILESYSTEM "filesystem"
#define KIND_SWAP "swap"
#define KIND_MOUNT "mount"
#define KIND_HOLDER "holder"
#define KIND_PROCESS "process"
#define KIND_HOOK "hook"
#define KIND_INHIBITOR "inhibitor"
#define KIND_UNIT "unit"
