import {
  type InfiniteData,
  type QueryClient,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { answer, client } from "./client";
import { keys } from "./queries";
import type {
  GenerateAnswer,
  GenerateRequest,
  Image,
  ImageCounts,
  ImagePage,
  MixRequest,
  NeighboursRequest,
  StatsRequest,
} from "./types";

const PAGE = 60;

type Gallery = InfiniteData<ImagePage, string | undefined>;

/** All generated images, newest first, a page at a time. */
export function useGallery() {
  return useInfiniteQuery({
    queryKey: keys.gallery,
    queryFn: ({ pageParam, signal }) => listGenerated(PAGE, pageParam, signal),
    // Refreshing asks for every page again, which is much for a long gallery; own images are put in without it.
    staleTime: 300_000,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

/** The newest generated images, for a look. */
export function useNewestImages(count: number) {
  return useQuery({
    queryKey: keys.newest(count),
    queryFn: async ({ signal }) => (await listGenerated(count, undefined, signal)).images,
  });
}

/** Makes faces. */
export function useGenerate() {
  return useMaking((request: Partial<GenerateRequest> & Pick<GenerateRequest, "models">) =>
    answer(client.POST("/backend/image/generate", { body: { truncation: 1, steps: [], ...request } })),
  );
}

/** Makes faces like one. */
export function useNeighbours() {
  return useMaking((request: NeighboursRequest) => answer(client.POST("/backend/image/neighbours", { body: request })));
}

/** Makes a face with the shape of one and the style of another. */
export function useMix() {
  return useMaking((request: MixRequest) => answer(client.POST("/backend/image/mix", { body: request })));
}

/** What is made comes to the front of the gallery. */
function useMaking<Request>(mutationFn: (request: Request) => Promise<GenerateAnswer>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: ({ images }) => {
      queries.setQueryData<Gallery>(keys.gallery, (gallery) => withNewImages(gallery, images));
      // A list still on its way may have been asked before these images were there.
      if (queries.isFetching({ queryKey: keys.gallery }) > 0)
        void queries.invalidateQueries({ queryKey: keys.gallery });
      void queries.invalidateQueries({ queryKey: keys.stats });
      void queries.invalidateQueries({ queryKey: [...keys.images, "newest"] });
    },
  });
}

/** Counts a like, its end, or a download; the page shows it at once and takes it back where the server refuses. */
export function useCount() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (request: StatsRequest) => answer(client.POST("/backend/image/stats", { body: request })),
    onMutate: ({ images, action }) => {
      const chosen = new Set(images);
      changeGallery(queries, (image) => (chosen.has(image.uuid) ? counted(image, action, 1) : image));
    },
    onError: (_error, { images, action }) => {
      const chosen = new Set(images);
      changeGallery(queries, (image) => (chosen.has(image.uuid) ? counted(image, action, -1) : image));
    },
    onSuccess: (counts: ImageCounts[]) => {
      const byUuid = new Map(counts.map((count) => [count.uuid, count]));
      changeGallery(queries, (image) => ({ ...image, ...byUuid.get(image.uuid) }));
      void queries.invalidateQueries({ queryKey: keys.stats });
    },
  });
}

/** Popularity of each generator. */
export function useModelStats() {
  return useQuery({
    queryKey: keys.stats,
    queryFn: ({ signal }) => answer(client.GET("/backend/image/stats", { signal })),
  });
}

interface BlobCall {
  data?: Blob;
  error?: unknown;
  response: Response;
}

/** The chosen images as one ZIP file. The server counts a download of each. */
export function useArchive() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (images: string[]) =>
      answer(client.POST("/backend/image/archive", { body: { images }, parseAs: "blob" }) as Promise<BlobCall>),
    onSuccess: (_archive, images) => {
      const packed = new Set(images);
      changeGallery(queries, (image) => (packed.has(image.uuid) ? counted(image, "download", 1) : image));
      void queries.invalidateQueries({ queryKey: keys.stats });
    },
  });
}

/** Address of a small rendering: 256 px is sharp enough for a tile on a dense screen. */
export function thumbnailUrl(image: Image): string {
  return `${image.url}?width=256`;
}

/** The gallery with new images in front; none twice. */
export function withNewImages(gallery: Gallery | undefined, images: Image[]): Gallery | undefined {
  const [first, ...others] = gallery?.pages ?? [];
  if (!gallery || !first) return gallery;
  const known = new Set(gallery.pages.flatMap((page) => page.images.map((image) => image.uuid)));
  const fresh = images.filter((image) => !known.has(image.uuid));
  return { ...gallery, pages: [{ ...first, images: [...fresh.reverse(), ...first.images] }, ...others] };
}

function listGenerated(limit: number, cursor: string | undefined, signal: AbortSignal): Promise<ImagePage> {
  return answer(client.GET("/backend/image", { params: { query: { type: "generated", limit, cursor } }, signal }));
}

function changeGallery(queries: QueryClient, change: (image: Image) => Image): void {
  queries.setQueryData<Gallery>(
    keys.gallery,
    (gallery) =>
      gallery && { ...gallery, pages: gallery.pages.map((page) => ({ ...page, images: page.images.map(change) })) },
  );
}

function counted(image: Image, action: StatsRequest["action"], by: 1 | -1): Image {
  if (action === "download") return { ...image, downloads: image.downloads + by };
  return { ...image, likes: Math.max(0, image.likes + (action === "like" ? by : -by)) };
}
