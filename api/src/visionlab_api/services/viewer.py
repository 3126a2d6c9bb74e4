"""Who may see which images.

Generated images are everyone's. An uploaded one is seen by who uploaded it; where they agreed to training, by those who make data
sets too; by nobody else. What one may not see is not there: that there is something would tell too.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_

from visionlab_api.database.tables import ImageRow


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who looks: whose uploads are theirs (None: nobody's), and whether they see what is shared for training."""

    visitor: UUID | None
    sees_shared: bool = False

    def owns(self, row: ImageRow) -> bool:
        """Whether they uploaded it."""
        return row.image_type == "uploaded" and row.visitor == self.visitor

    def may_see(self, row: ImageRow) -> bool:
        """Whether it is there for them."""
        if row.deleted_at is not None:
            return False
        return row.image_type == "generated" or self.owns(row) or (self.sees_shared and row.shared)

    def uploads(self) -> ColumnElement[bool]:
        """`may_see` of uploaded images, as a condition."""
        return or_(*self.kinds_of_uploads())

    def kinds_of_uploads(self) -> list[ColumnElement[bool]]:
        """`uploads` in parts, each with an index: their own, and what is shared. An image may be in both."""
        kinds = [ImageRow.visitor == self.visitor]
        if self.sees_shared:
            kinds.append(ImageRow.shared.is_(True))
        return [and_(ImageRow.image_type == "uploaded", kind, ImageRow.deleted_at.is_(None)) for kind in kinds]
