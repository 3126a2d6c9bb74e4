export { QueryClient } from "@tanstack/react-query";
export { createBrowserRouter } from "react-router";
