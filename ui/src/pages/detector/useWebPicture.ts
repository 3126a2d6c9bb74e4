import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { fetchPicture } from "../../api/classify";
import type { Image } from "../../api/types";

export interface WebPicture {
  /** Whether this server fetches pictures. */
  possible: boolean;
  /** Whether the field for the address is shown. */
  open: boolean;
  setOpen: (open: boolean) => void;
  address: string;
  setAddress: (address: string) => void;
  fetching: boolean;
  /** Why the last one did not come. */
  error: unknown;
  fetch: (address: string) => void;
}

/** A picture that is named by its address on the web, and fetched by the server. */
export function useWebPicture(possible: boolean, onPicture: (image: Image) => void): WebPicture {
  const [open, setOpen] = useState(false);
  const [address, setAddress] = useState("");
  const { mutate, reset, isPending, error } = useMutation({
    mutationFn: fetchPicture,
    onSuccess: (image) => {
      setOpen(false);
      setAddress("");
      onPicture(image);
    },
  });
  return {
    possible,
    open,
    setOpen: (wanted) => {
      reset();
      setOpen(wanted);
    },
    address,
    setAddress: (typed) => {
      reset();
      setAddress(typed);
    },
    fetching: isPending,
    error,
    fetch: (wanted) => {
      if (!possible || isPending) return;
      setOpen(true);
      setAddress(wanted);
      mutate(wanted);
    },
  };
}
