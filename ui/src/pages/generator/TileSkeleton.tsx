/** The place of a face that is on its way. No list item: it is not a face yet. */
export function TileSkeleton() {
  return <li className="tile-coming" role="presentation" aria-hidden />;
}
